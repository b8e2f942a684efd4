import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { expect, test } from 'vitest'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { createEmptyDatabase } from '../../support/database/database.ts'
import { filledByStep } from '../../support/database/old-store.ts'

/** The version of the store of the release before, whose programs are at work while the first one of this release migrates. */
const RELEASED = 7
const RUNS = 200_000
const RUNNING = 100
/** Tables that a step changes, or makes an index of. */
const LARGE = ['job_versions', 'runs', 'attempts', 'turns', 'fires', 'authorize_events']
/** A worker's statement that waits longer for a lock is refused by Postgres. */
const LONGEST_WAIT_MS = 1000
/** So often a reader goes on for longer than a worker may wait, from when somebody waits for it; and how long it reads else. */
const LONG_READINGS = 4
const LONG_READING_S = 1.5
const READING_S = 0.2

/** What a worker of the release before writes and asks, on runs that are under way. */
const WORK = [
  "update runs set heartbeat_at = now() where id = $1 and status = 'running'",
  `insert into turns (run_id, number, attempt, items, stop_reason, model, input_tokens, cached_tokens, output_tokens, reasoning_tokens, started_at, finished_at)
   select $1, max(number) + 1, 1, '[]', 'stop', 'm', 1, 0, 1, 0, now(), now() from turns where run_id = $1`,
  `insert into tool_calls (id, run_id, attempt, turn, position, call_id, server, tool, arguments, repeatable, status)
   select gen_random_uuid(), $1, 1, 1, 0, '"1"', 'labor', '"query"', '{}', true, 'sent'`,
  `insert into gateway_requests (request_id_sent, run_id, attempt, account, account_id, method, host, path, request_bytes, sent_at)
   select gen_random_uuid(), $1, 1, 'reports', 'reports', 'POST', 'labor.example', '/mcp', 1, now()`,
  `with ended as (update attempts set status = 'succeeded', finished_at = now() where run_id = $1 and finished_at is null)
   update runs set status = 'succeeded', finished_at = now(), codes = '{}' where id = $1`,
  `with again as (update runs set status = 'running', finished_at = null where id = $1)
   insert into attempts (run_id, number, token, worker, conversation, job_version, status)
   select $1, max(number) + 1, gen_random_uuid(), 'one', 1, 'v1', 'running' from attempts where run_id = $1`,
  "insert into deliveries (id, run_id, attempt, target) select gen_random_uuid(), $1, 1, '{}'",
  "select 1 from runs r join job_versions v on v.job = r.job and v.version = r.job_version where r.id = $1 or status = 'queued'",
  'select 1 from authorize_events where run_id = $1',
]

test(
  'a store of 200,000 runs comes from the release before to this one beside readers, and no statement of a worker waits longer than a second',
  { timeout: 600_000 },
  async () => {
    await using database = await createEmptyDatabase()
    const { url } = database
    await migrate(database.db, { upTo: RELEASED })
    const filler = openDb({ url, max: 1, timeouts: { statementMs: 300_000 } })
    await query(filler, 'set synchronous_commit = off')
    const statements = filledByStep(RUNS)
    for (const table of LARGE) await query(filler, statements[table] ?? '')
    await query(filler, 'analyze')
    await filler.end()

    const worker = openDb({ url, max: 2, timeouts: { lockMs: LONGEST_WAIT_MS } })
    const readers = openDb({ url, max: 1 })
    const over = new AbortController()
    let done = 0
    const atWork = async (first: number) => {
      for (let n = first; !over.signal.aborted; n += 2) {
        const run = `run_${String(RUNS - (n % RUNNING)).padStart(8, '0')}`
        for (const statement of WORK) await query(worker, statement, [run])
        await insertRun(worker)
        done++
      }
    }
    const reading = async () => {
      for (let n = 0; !over.signal.aborted; n++) {
        const client = await readers.connect()
        await client.query('begin isolation level repeatable read')
        const { rows } = await client.query<{ name: string }>(
          "select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
        )
        for (const { name } of rows) await client.query(`select 1 from ${name} limit 1`)
        if (n < LONG_READINGS) while (!over.signal.aborted && !(await isWaitedFor(client))) await client.query('select pg_sleep(0.02)')
        await client.query('select pg_sleep($1)', [n < LONG_READINGS ? LONG_READING_S : READING_S])
        await client.query('commit')
        client.release()
      }
    }
    const beside = Promise.all([atWork(0), atWork(1), reading()])
    const migrated = migrate(database.db).finally(() => over.abort())
    const [, version] = await Promise.all([beside, migrated])
    expect(version).toBeGreaterThan(RELEASED)
    expect(done).toBeGreaterThan(0)
    await Promise.all([worker.end(), readers.end()])
  },
)

const isWaitedFor = async (client: pg.PoolClient) =>
  (await client.query('select 1 from pg_locks where not granted limit 1')).rows.length > 0

const insertRun = (db: Db) =>
  query(
    db,
    `with version as (insert into job_versions (job, version, definition) values ('job', 'v1', '{}') on conflict do nothing)
     insert into runs (id, job, job_version, status, trigger, input, account) values ($1, 'job', 'v1', 'queued', '{}', '{}', 'reports')`,
    [`run_${randomUUID()}`],
  )
