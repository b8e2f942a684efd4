import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { listRuns } from '../../../src/store/runs/list.ts'
import type { RunFilter } from '../../../src/store/runs/filter.ts'
import { median, round, type Bench, type Row } from '../bench.ts'
import { openHouse, plainJob } from '../house.ts'

const SIZES = [10_000, 1_000_000]
const LOOKS = 30
const FILL_MS = 1_800_000

const FILTERS: Record<string, RunFilter> = {
  latest: {},
  byStatus: { status: ['failed'] },
  byJobAndCode: { job: 'job-7', code: 'UPSTREAM_UNAVAILABLE' },
  byTool: { tool: 'hr.rare' },
  byCommonTool: { tool: 'hr.common' },
  byText: { text: 'needle' },
  byCommonText: { text: 'hay' },
  ofThreeJobs: { jobs: ['job-1', 'job-7', 'job-none'] },
  untilLongAgo: { until: new Date('2026-01-01T00:05:00Z') },
  ofAJobInOneHour: { job: 'job-3', since: new Date('2026-01-01T00:00:00Z'), until: new Date('2026-01-01T01:00:00Z') },
}

/** A page of runs in a small and in a large store. */
export const list: Bench = {
  name: 'list',
  about: 'a page of runs, by filter and by search, with 10 k and with 1 M runs in the store (aim: at most twice as long)',
  async run({ scale, say }) {
    await using testApp = await openHouse('embedded', { plain: plainJob() })
    if (!testApp) return []
    const { db } = testApp.app
    // A statement that writes a million rows takes longer than one of the program may.
    const filler = openDb({ url: db.options.connectionString ?? '', max: 1, timeouts: { statementMs: FILL_MS } })
    await using stack = new AsyncDisposableStack()
    stack.defer(() => filler.end())
    const rows: Row[] = []
    let filled = 0
    for (const size of SIZES.map((count) => Math.round(count * scale))) {
      await fill(filler, filled, size)
      filled = size
      const row: Row = { runs: size }
      for (const [name, filter] of Object.entries(FILTERS)) row[`${name}Ms`] = await look(db, filter)
      row['latePageMs'] = await look(db, {}, `run_${(100).toString(16).padStart(12, '0')}`)
      rows.push(row)
      say(`${size} runs: ${JSON.stringify(row)}`)
    }
    return rows
  },
}

async function look(db: Db, filter: RunFilter, before?: string): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < LOOKS; i++) {
    const began = performance.now()
    await listRuns(db, filter, { limit: 50, before })
    times.push(performance.now() - began)
  }
  return round(median(times), 2)
}

/** Runs from `from` up to `to`, of twenty jobs; one in fifty failed. A hundred called the rare tool and a hundred hold the rare word, however many there are; one in fifty the common ones. */
async function fill(db: Db, from: number, to: number): Promise<void> {
  await query(
    db,
    "insert into job_versions (job, version, definition) select 'job-' || i, 'v', '{}' from generate_series(0, 19) i on conflict do nothing",
  )
  await query(
    db,
    `insert into runs (id, job, job_version, status, trigger, input, account, attempts, codes, tools, words, created_at, started_at, finished_at)
     select 'run_' || lpad(to_hex(i), 12, '0'), 'job-' || i % 20, 'v', case when i % 50 = 7 then 'failed' else 'succeeded' end, '{"kind":"cli"}', '{}', 'reports', 1,
       case when i % 50 = 7 then array['UPSTREAM_UNAVAILABLE'] else '{}' end, case when i between 300 and 399 then array['hr.rare'] when i % 50 = 3 then array['hr.common'] else array['hr.query'] end,
       to_tsvector('simple', case when i between 500 and 599 then 'a needle in it' when i % 50 = 5 then 'hay in it' else 'rates fell in ' || i end), timestamptz '2026-01-01' + i * interval '1 second', now(), now()
     from generate_series($1::int, $2::int - 1) i`,
    [from, to],
  )
  await query(db, 'vacuum analyze runs')
}
