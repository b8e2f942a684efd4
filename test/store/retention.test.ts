import { randomUUID } from 'node:crypto'
import { someone } from '../support/actor.ts'
import { expect, test } from 'vitest'
import { noUsage, type FinalStatus } from '../../src/core/run.ts'
import { endDeliveryTry, takeDueDeliveries } from '../../src/store/delivery/deliveries.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { forgetBadRows } from '../../src/store/bad-rows.ts'
import { countPrunable, prune } from '../../src/store/retention.ts'
import type { NewDelivery } from '../../src/store/delivery/post.ts'
import { finishRun } from '../../src/store/runs/finish.ts'
import { forgetOldKeys } from '../../src/store/runs/idempotency.ts'
import { retryRuns } from '../../src/store/runs/retry.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { removeVersions } from '../../src/store/versions.ts'
import { opened, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase } from '../support/database/database.ts'
import { fillStore } from '../support/database/large-store.ts'

const DAY_MS = 86_400_000
const end = { output: { total: 42 }, reasons: [], failure: null, usage: noUsage, costUsd: null }

/** A run that ended so many days ago. */
async function over(db: Db, status: FinalStatus, daysAgo: number, deliveries: NewDelivery[] = [], jobVersion = 'sha256:1') {
  const id = await writeRun(db, { jobVersion })
  await finishRun(db, await opened(db, id), { ...end, status, deliveries })
  await query(db, 'update runs set finished_at = now() - make_interval(days => $2) where id = $1', [id, daysAgo])
  return id
}

const ids = async (db: Db) => (await query<{ id: string }>(db, 'select id from runs order by id')).map(({ id }) => id)

test('of each status, runs that are older than it is kept for lose their content, then go; others stay as they are', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const kept = [await over(db, 'failed', 20), await over(db, 'succeeded', 1), await over(db, 'cancelled', 400), await writeRun(db)]
  const emptied = await over(db, 'succeeded', 3)
  const removed = [await over(db, 'succeeded', 30), await over(db, 'failed', 100)]
  const keep = {
    content: { succeeded: 2 * DAY_MS, failed: 50 * DAY_MS },
    metadata: { succeeded: 10 * DAY_MS, failed: 90 * DAY_MS },
    log: undefined,
  }
  expect(await countPrunable(db, keep)).toEqual({ content: 3, metadata: 2, log: 0, fires: 0 })
  expect(await prune(db, keep)).toEqual({ content: 3, metadata: 2, log: 0, fires: 0 })
  expect(await ids(db)).toEqual([...kept, emptied].toSorted())
  expect(await loadRun(db, emptied)).toMatchObject({ status: 'succeeded', output: null })
  for (const id of kept.slice(0, 3)) expect(await loadRun(db, id)).toMatchObject({ output: { total: 42 } })
  expect(await query(db, 'select run_id from pruned_runs order by 1')).toEqual(removed.toSorted().map((run_id) => ({ run_id })))
  expect(await prune(db, keep)).toEqual({ content: 0, metadata: 0, log: 0, fires: 0 })
})

test('a run whose report is still to be sent keeps its content, until it was sent or given up', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await over(db, 'succeeded', 30, [{ id: randomUUID(), target: { webhook: 'ops' }, status: 'pending' }])
  const keep = { content: { succeeded: DAY_MS }, metadata: { succeeded: 2 * DAY_MS }, log: undefined }
  expect(await countPrunable(db, keep)).toEqual({ content: 0, metadata: 0, log: 0, fires: 0 })
  expect(await prune(db, keep)).toEqual({ content: 0, metadata: 0, log: 0, fires: 0 })
  const [due] = await takeDueDeliveries(db, { limit: 1, perPlace: 1, busy: new Map(), leaseMs: 60_000 })
  expect(due).toMatchObject({ runId: id })
  expect(await loadRun(db, id)).toMatchObject({ output: { total: 42 } })
  await endDeliveryTry(db, due?.id ?? '', { status: 'delivered' })
  expect(await prune(db, keep)).toEqual({ content: 1, metadata: 1, log: 0, fires: 0 })
})

/** Columns that say of a run what it was and how it went, and not what it was about. They stay when its content goes. */
const STAYS: Record<string, string[]> = {
  attempts: ['contract', 'failure', 'job_version', 'reasons', 'worker'],
  // Of each line of the log all but the arguments of its call.
  authorize_events: [
    'account_id', 'host', 'ip', 'line_digest', 'mcp_method', 'mcp_tool', 'method', 'params_digest', 'path', 'request_id', 'run_header', 'user_id',
  ], // prettier-ignore
  runs: ['account', 'delivery', 'failure', 'held_by', 'output_digest', 'reasons', 'requested_by', 'tags', 'trigger', 'waits_for'],
  tool_calls: ['call_id', 'failure', 'server', 'tool'],
  turns: ['context', 'forced_by', 'model', 'provider', 'provider_request_id', 'purpose', 'response_id', 'stop_reason', 'tier', 'waits'],
}

test('content leaves every column of every table of a run but those that are named', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await over(db, 'succeeded', 30)
  await query(
    db,
    `insert into turns (run_id, number, attempt, items, stop_reason, model, input_tokens, cached_tokens, output_tokens, reasoning_tokens, started_at, finished_at)
     values ($1, 1, 1, '[]', 'stop', 'm', 1, 0, 1, 0, now(), now())`,
    [id],
  )
  const call = randomUUID()
  await query(
    db,
    `insert into tool_calls (id, run_id, attempt, turn, position, call_id, server, tool, arguments, repeatable, status, started_at)
     values ($2, $1, 1, 1, 0, '"1"', 'labor', '"query"', '{}', true, 'ok', now())`,
    [id, call],
  )
  await query(
    db,
    `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, allowed, reasons, run_id)
     values ('d', 1, 'r', now(), 'POST', 'labor.example', '/mcp', '::1', 'u', true, '{}', $1)`,
    [id],
  )
  const columns = await query<{ table: string; column: string; type: string }>(
    db,
    `select c.table_name as "table", c.column_name as "column", c.data_type as type from information_schema.columns c
     where c.table_schema = 'public' and c.data_type in ('text', 'json', 'jsonb')
       and c.table_name in ('runs', 'attempts', 'turns', 'tool_calls', 'authorize_events') and c.column_name not in ('id', 'run_id', 'ended_as')
     order by 1, 2`,
  )
  const keyOf = (table: string) => (table === 'runs' ? 'id' : 'run_id')
  const written: typeof columns = []
  for (const one of columns) {
    const value = one.type === 'text' ? 'CANARY' : '"CANARY"'
    // What a check or a foreign key does not let in holds no words of others.
    const done = await query(db, `update ${one.table} set ${one.column} = $2 where ${keyOf(one.table)} = $1 returning 1`, [
      id,
      value,
    ]).catch(() => [])
    if (done.length > 0) written.push(one)
  }
  expect(written.length).toBeGreaterThan(20)
  expect(await prune(db, { content: { succeeded: DAY_MS }, metadata: {}, log: undefined })).toMatchObject({ content: 1 })
  const left: Record<string, string[]> = {}
  for (const { table, column } of written) {
    const rows = await query(db, `select 1 from ${table} where ${keyOf(table)} = $1 and ${column}::text like '%CANARY%'`, [id])
    if (rows.length > 0) (left[table] ??= []).push(column)
  }
  expect(left).toEqual(STAYS)
})

test('fires without a run, and alarms that were sent, go when they are old', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const run = await over(db, 'succeeded', 30)
  await query(
    db,
    `insert into fires (job, fire_at, status, run_id, reason) values ('job', now() - interval '30 days', 'run', $1, null),
       ('job', now() - interval '29 days', 'skipped', null, 'paused'), ('job', now() - interval '2 days', 'skipped', null, 'paused')`,
    [run],
  )
  await query(
    db,
    `insert into alarms (id, body, created_at, sent_at) values (gen_random_uuid(), '"sent"', now() - interval '30 days', now() - interval '30 days'),
       (gen_random_uuid(), '"unsent"', now() - interval '30 days', null), (gen_random_uuid(), '"new"', now(), now())`,
  )
  const keep = { content: {}, metadata: {}, log: 10 * DAY_MS, fires: 10 * DAY_MS }
  expect(await countPrunable(db, keep)).toMatchObject({ fires: 1 })
  expect(await prune(db, keep)).toMatchObject({ fires: 1 })
  expect(await query(db, 'select run_id as id, reason from fires order by fire_at')).toEqual([
    { id: run, reason: null },
    { id: null, reason: 'paused' },
  ])
  expect(await query(db, "select body #>> '{}' as body from alarms order by 1")).toEqual([{ body: 'new' }, { body: 'unsent' }])
})

/** Tables that retention never empties, and why they do not grow, or must. */
const STAYING: Record<string, string> = {
  acts: 'evidence: what people did, which they do one by one; with which runs goes with the run',
  api_tokens: 'a row for each token of the configuration that was used; a person makes each',
  checkpoints: 'evidence: each names the one before, and one that was kept outside is looked for among them',
  connection_looks: 'a row for each account of the configuration',
  duties: 'with its process',
  log_positions: 'a row for each file of the log: what was read of it is not read again when its lines are gone',
  migrations: 'a row for each version of the store',
  pauses: 'a row for each job; a person made it, and lifts it',
  processes: 'each that is at work removes those that were not heard of for a day',
  pruned_runs: 'evidence: a checkpoint names the run, which is not taken for one that somebody removed',
  scheduler_presence: 'one row',
  schedules: 'a row for each job, of a version before; nobody writes it any more',
}

const countRows = async (db: Db) => {
  const tables = await query<{ name: string }>(
    db,
    "select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' order by 1",
  )
  const counts: Record<string, number> = {}
  for (const { name } of tables) counts[name] = (await query<{ n: number }>(db, `select count(*)::int as n from ${name}`))[0]?.n ?? 0
  return counts
}

test('whatever grows with the work goes when it is old, or is named with the reason why it stays', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await fillStore(db, 3000)
  await query(db, "update idempotency_keys set created_at = now() - interval '2 days' where run_id < 'run_00001000'")
  await query(db, "update served_requests set served_at = now() - interval '4 days' where request_id < 'request-run_00001000'")
  const before = await countRows(db)
  const day = { succeeded: DAY_MS, failed: DAY_MS }
  await prune(db, { content: day, metadata: day, log: DAY_MS, fires: DAY_MS })
  await forgetOldKeys(db)
  await forgetBadRows(db)
  const after = await countRows(db)
  expect(Object.keys(before).filter((table) => !(Number(after[table]) < Number(before[table])))).toEqual(Object.keys(STAYING).toSorted())
  // Another round has nothing left to do.
  expect(await prune(db, { content: day, metadata: day, log: DAY_MS, fires: DAY_MS })).toEqual({
    content: 0,
    metadata: 0,
    log: 0,
    fires: 0,
  })
  expect(await countRows(db)).toEqual(after)
})

const versionsOf = async (db: Db) =>
  (await query<{ version: string }>(db, 'select version from job_versions order by 1')).map(({ version }) => version)

test('a version of a job goes with the last run that was of it, or had an attempt that was', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const retried = await over(db, 'failed', 30)
  await over(db, 'succeeded', 30, [], 'sha256:2')
  await writeRun(db, { jobVersion: 'sha256:3' })
  await retryRuns(db, { ids: [retried] }, [{ job: 'work', version: 'sha256:4', account: 'reports', definition: {} }], someone())
  await prune(db, { content: {}, metadata: { succeeded: DAY_MS } })
  expect(await versionsOf(db)).toEqual(['sha256:1', 'sha256:3', 'sha256:4'])
  await query(db, "update runs set status = 'failed', finished_at = now() - interval '30 days' where id = $1", [retried])
  await prune(db, { content: {}, metadata: { failed: DAY_MS } })
  expect(await versionsOf(db)).toEqual(['sha256:3'])
})

test('while runs are made, no version goes that one of them is of, and nobody fails', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const born = new Set<number>()
  // It went and came again, so often.
  const isOver = () => born.size > 10
  // Each run is gone at once, so that its version is named by nothing when the next run brings it along.
  const make = async () => {
    while (!isOver()) {
      const id = await writeRun(db)
      for (const { at } of await query<{ at: Date }>(db, 'select created_at as at from job_versions')) born.add(at.getTime())
      await query(db, 'delete from runs where id = $1', [id])
    }
  }
  const remove = async () => {
    while (!isOver()) await removeVersions(db)
  }
  await Promise.all([make(), make(), make(), remove(), remove()])
})

test('a schedule that was long away goes, and one that no scheduler could look at stays', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await query(
    db,
    `insert into schedule_progress (job, cron, timezone, decided_until, seen_at) values
       ('away', '* * * * *', 'UTC', now(), now() - interval '40 days'), ('new', '* * * * *', 'UTC', now(), now())`,
  )
  const jobs = async () => (await query<{ job: string }>(db, 'select job from schedule_progress order by 1')).map(({ job }) => job)
  const none = { content: {}, metadata: {} }
  // A scheduler that came back this minute has looked at nothing yet.
  await query(db, 'insert into scheduler_presence default values')
  await prune(db, none)
  expect(await jobs()).toEqual(['away', 'new'])
  // None was there when it was seen last, nor since then.
  await query(db, "update scheduler_presence set up_since = now() - interval '40 days', alive_at = now() - interval '40 days'")
  await prune(db, none)
  expect(await jobs()).toEqual(['away', 'new'])
  await query(db, 'update scheduler_presence set alive_at = now()')
  await prune(db, none)
  expect(await jobs()).toEqual(['new'])
})
