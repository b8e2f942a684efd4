import { retryByFilter } from '../../../src/runs/retry.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { median, round, type Bench, type Row } from '../bench.ts'
import { openHouse, plainJob } from '../house.ts'
import { someone } from '../../support/actor.ts'

const RUNS = 10_000

/** An operator retries everything that an outage failed. */
export const retry: Bench = {
  name: 'retry',
  about: 'bulk retry of 10 k failed runs, from the filter to the queue (aim: at most 10 s); on Redis and embedded',
  async run({ reps, scale, say }) {
    const rows: Row[] = []
    const count = Math.max(1, Math.round(RUNS * scale))
    for (const queue of ['redis', 'embedded'] as const) {
      await using testApp = await openHouse(queue, { plain: plainJob() })
      if (!testApp) {
        say('No Redis on this machine: set REDIS_URL, or install redis-server.')
        continue
      }
      const { db, producer, jobs } = testApp.app
      const seconds: number[] = []
      for (let rep = 1; rep <= reps; rep++) {
        await query(db, "insert into job_versions (job, version, definition) values ('plain', 'v', '{}') on conflict do nothing")
        await query(
          db,
          `with made as (
             insert into runs (id, job, job_version, status, trigger, input, account, attempts, codes, failure, finished_at)
             select 'run_' || $2 || '_' || i, 'plain', 'v', 'failed', '{"kind":"cli"}', '{}', 'reports', 1, array['UPSTREAM_UNAVAILABLE'], '{"code":"UPSTREAM_UNAVAILABLE"}', now()
             from generate_series(1, $1) i returning id)
           insert into attempts (run_id, number, token, worker, conversation, job_version, status, finished_at)
           select id, 1, gen_random_uuid(), 'bench', 1, 'v', 'failed', now() from made`,
          [count, rep],
        )
        const began = performance.now()
        const queued = await retryByFilter(
          { db, producer, jobs: jobs.jobs() },
          { status: ['failed'], code: 'UPSTREAM_UNAVAILABLE' },
          'latest',
          someone(),
        )
        seconds.push((performance.now() - began) / 1000)
        if (queued !== count) throw new Error(`${queued} of ${count} runs were queued`)
        say(`${queue} ${rep}/${reps}: ${round(seconds.at(-1) ?? 0, 2)} s`)
      }
      rows.push({ queue, runs: count, seconds: round(median(seconds), 2) })
    }
    return rows
  },
}
