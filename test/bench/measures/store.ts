import type pg from 'pg'
import { prune } from '../../../src/store/retention.ts'
import { requestCancel } from '../../../src/store/runs/heartbeat.ts'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { explained } from '../../support/database/explained.ts'
import { fillStore, runId } from '../../support/database/large-store.ts'
import { MOST_PAGES, storeCalls } from '../../support/database/store-calls.ts'
import { median, quantile, round, type Bench, type Row } from '../bench.ts'
import { openHouse, plainJob } from '../house.ts'
import { someone } from '../../support/actor.ts'
import { withInstead } from '../../support/instead.ts'

const RUNS = 1_000_000
/** Runs that end in a day. */
const OF_A_DAY = 100_000
const FILL_MS = 3_600_000
const LOOK_MS = 20

/** Every statement of the store against a large one, and retention beside it. */
export const store: Bench = {
  name: 'store',
  about: 'every question to a store of 1 M runs (pages of 8 KB, ms), and how retention keeps up with 100 k runs a day',
  async run({ reps, scale, say, fail }) {
    await using house = await openHouse('embedded', { plain: plainJob() })
    if (!house) return []
    const url = house.app.db.options.connectionString ?? ''
    await using stack = new AsyncDisposableStack()
    const filler = openDb({ url, max: 2, timeouts: { statementMs: FILL_MS } })
    stack.defer(() => filler.end())
    const runs = Math.round(RUNS * scale)
    const began = performance.now()
    await fillStore(filler, runs)
    say(`A store of ${runs} runs was made in ${Math.round((performance.now() - began) / 1000)} s.`)
    const rows: Row[] = []
    for (const [name, { call, pages = MOST_PAGES }] of Object.entries(storeCalls(runs)))
      rows.push(await measured(filler, { name, call, pages, reps }))
    const tooMany = rows.filter(({ allowed, pages }) => Number(pages) > Number(allowed)).map(({ question }) => question)
    if (tooMany.length > 0) fail(`More pages than allowed: ${tooMany.join(', ')}.`)
    else say('No statement touches more pages than it may.')
    rows.push(await removed(filler, house.app.db, { runs, days: scale, say }))
    return rows.toSorted((one, other) => Number(other['ms']) - Number(one['ms']))
  },
}

interface Measured {
  name: string
  call: ReturnType<typeof storeCalls>[string]['call']
  pages: number
  reps: number
}

/** The most pages of one statement of a question, and the time of all of them in Postgres. */
async function measured(db: Db, { name, call, pages: allowed, reps }: Measured): Promise<Row> {
  const times: number[] = []
  let pages = 0
  for (let rep = 0; rep < reps; rep++) {
    const touched = await explained(db, call)
    pages = Math.max(pages, ...touched.map((one) => one.pages))
    times.push(touched.reduce((sum, { ms }) => sum + ms, 0))
  }
  return { question: name, ms: round(median(times), 2), pages, allowed }
}

/** Removes the oldest runs, a day's work of them, while another connection writes to one of them, as a worker does. */
async function removed(db: Db, worker: Db, { runs, days, say }: { runs: number; days: number; say: (line: string) => void }): Promise<Row> {
  const [oldest] = await query<{ ms: number }>(
    db,
    'select extract(epoch from now() - finished_at)::float8 * 1000 as ms from runs where id = $1',
    [runId(Math.round(OF_A_DAY * days))],
  )
  const keepMs = oldest?.ms ?? 0
  const waits: number[] = []
  const over = new AbortController()
  const writing = writeOften(worker, runId(Math.round(runs / 2)), waits, over.signal)
  const began = performance.now()
  const held: number[] = []
  const pruned = await prune(timed(db, held), { content: {}, metadata: { succeeded: keepMs, failed: keepMs } })
  const seconds = (performance.now() - began) / 1000
  over.abort()
  await writing
  say(
    `Retention removed ${pruned.metadata} runs in ${round(seconds)} s; it held a lock for ${round(median(held))} ms (p50), ${round(quantile(held, 0.99))} ms (p99), ${round(Math.max(...held))} ms at most; a writer beside it waited ${round(quantile(waits, 0.99))} ms (p99), ${round(Math.max(...waits))} ms at most.`,
  )
  return { question: 'retention of a day', ms: round(seconds * 1000), pages: 0, allowed: 0 }
}

/** The pool, which notes how long each transaction has lasted since its first change: so long it holds what it locked. */
function timed(pool: Db, held: number[]): Db {
  return withInstead(pool, 'connect', async () => {
    const client = await pool.connect()
    let since: number | undefined
    return withInstead(client, 'query', async (statement: string | pg.QueryConfig, values?: unknown[]) => {
      const text = typeof statement === 'string' ? statement : statement.text
      if (/\b(?:delete|update|insert|lock)\b/i.test(text)) since ??= performance.now()
      const result = await client.query(statement, values)
      if (since !== undefined && /^\s*(?:commit|rollback)/i.test(text)) {
        held.push(performance.now() - since)
        since = undefined
      }
      return result
    })
  })
}

async function writeOften(db: Db, id: string, waits: number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const began = performance.now()
    await requestCancel(db, id, someone())
    waits.push(performance.now() - began)
    await new Promise((done) => setTimeout(done, LOOK_MS))
  }
}
