import { firstWake } from '../../src/core/ports/wake.ts'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { script } from '../../src/demo/model/script.ts'
import { startWorld } from '../../src/demo/world.ts'
import type { Job } from '../../src/jobs/job.ts'
import type { Waker } from '../../src/core/ports/wake.ts'
import { createRun } from '../../src/runs/create.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { startEmbeddedPostgres } from '../../src/store/postgres/embedded/server.ts'
import { migrate } from '../../src/store/postgres/migrate.ts'
import { openConfigured } from '../support/configured.ts'
import { makePlace, type QueueKind } from './place.ts'
import { BUILT, startMeasuredWorker, type MeasuredWorker } from '../support/cli/measured-worker.ts'

export interface SiteOptions {
  queue: QueueKind
  /** Job files by name. */
  jobs: Record<string, Record<string, unknown>>
  /** Scripts of the demo's model by its name. */
  scripts: Record<string, string>
  concurrency: number
}

/** The demo's stand-ins, a store, a queue and a worker in a process of its own. */
export interface Site extends AsyncDisposable {
  db: Db
  producer: Waker
  worker: MeasuredWorker
  /** Inserts runs and adds them to the queue in bulk. Returns their ids. */
  enqueue(job: string, count: number): Promise<string[]>
  /** Resolves when all of the runs have succeeded; throws when one has ended otherwise. */
  finished(ids: readonly string[], lookMs?: number): Promise<void>
}

/** Undefined: there is no Redis on this machine. */
export async function openSite({ queue: kind, jobs, scripts, concurrency }: SiteOptions): Promise<Site | undefined> {
  await using building = new AsyncDisposableStack()
  const place = await makePlace(kind, jobs, building)
  if (!place) return undefined
  const { dir, jobsDir, redisUrl } = place
  const postgres = await startEmbeddedPostgres({ dir: join(dir, 'postgres'), ephemeral: true })
  building.defer(() => postgres.stop())
  const world = building.use(
    await startWorld({
      dir,
      jobsDir,
      scripts: Object.fromEntries(Object.entries(scripts).map(([model, text]) => [model, script(text)])),
      config: { databaseUrl: postgres.url, ...(redisUrl !== undefined && { redisUrl: redisUrl }), worker: { concurrency } },
    }),
  )
  const { jobs: loaded, db, producer } = await openConfigured(world.configFile, building)
  await migrate(db)
  const worker = building.use(startMeasuredWorker({ program: BUILT, configFile: world.configFile, dir }))
  const stack = building.move()

  return {
    db,
    producer,
    worker,
    async enqueue(name, count) {
      const job = jobOf(loaded, name)
      const ids = await Promise.all(Array.from({ length: count }, () => createRun(db, job, { trigger: { kind: 'cli' } })))
      await producer.wake(ids.map((id) => firstWake(id)))
      return ids
    },
    async finished(ids, lookMs = 20) {
      for (;;) {
        worker.check()
        const [row] = await query<{ green: number; over: number }>(
          db,
          `select count(*) filter (where status = 'succeeded')::int as green, count(*)::int as over from runs where id = any($1) and finished_at is not null`,
          [ids],
          'finished',
        )
        if (row && row.green < row.over) throw new Error(`${row.over - row.green} runs ended without success`)
        if (row?.green === ids.length) return
        await sleep(lookMs)
      }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function jobOf(jobs: ReadonlyMap<string, Job>, name: string): Job {
  const job = jobs.get(name)
  if (!job) throw new Error(`no job ${name}`)
  return job
}
