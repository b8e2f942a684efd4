import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { raiseAlarms } from '../../src/audit/alarm.ts'
import { takeCheckpoint } from '../../src/audit/evidence/checkpoint.ts'
import { verifyStore } from '../../src/audit/evidence/verify.ts'
import { matchEvents } from '../../src/audit/join/match.ts'
import { importLog } from '../../src/audit/log/import.ts'
import { noUsage } from '../../src/core/run.ts'
import { createOutbox } from '../../src/delivery/outbox.ts'
import { badRowStats, createBadRows } from '../../src/store/bad-rows.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { prune } from '../../src/store/retention.ts'
import { finishRun, type RunEnd } from '../../src/store/runs/finish.ts'
import { callRecord, opened, writeRun } from '../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'
import { signerOf } from '../support/evidence/signer.ts'
import { authorizeLine } from '../support/log/log-lines.ts'

const DAY_MS = 86_400_000
const end = { status: 'succeeded', output: { total: 42 }, reasons: [], failure: null, usage: noUsage, costUsd: null } satisfies RunEnd
const ours = () => [
  { accountId: 'sa-reports', account: 'reports' },
  { accountId: 'sa-bad', account: 'bad' },
]

let database: TestDatabase
let db: Db
let said: Record<string, unknown>[]
const log = { error: (about: Record<string, unknown>) => void said.push(about), info: () => {} }

beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
  said = []
})

afterEach(() => database[Symbol.asyncDispose]())

/** Postgres refuses each change of rows for which the condition holds, as a constraint, a trigger or a broken page does. */
async function refuse(table: string, event: string, condition: string): Promise<void> {
  const name = `refuse_${event}_${table}`
  await query(db, `create function ${name}() returns trigger language plpgsql as $$ begin raise exception 'this row is bad'; end $$`)
  await query(db, `create trigger ${name} before ${event} on ${table} for each row when (${condition}) execute function ${name}()`)
}

/** A run that ended long ago. */
async function over(run: Parameters<typeof writeRun>[1] = {}): Promise<string> {
  const id = await writeRun(db, run)
  await finishRun(db, await opened(db, id), { ...end, deliveries: [] })
  await query(db, "update runs set finished_at = now() - interval '30 days' where id = $1", [id])
  return id
}

/** What was said and counted: one row of the duty. */
async function expectOneBad(duty: string, row: string): Promise<void> {
  expect(said.map((about) => ({ duty: about['duty'], row: about['row'] }))).toEqual([{ duty, row }])
  expect(await badRowStats(db)).toEqual([{ duty, rows: 1 }])
}

const lines = (...of: Record<string, unknown>[]) => Readable.from([Buffer.from(of.map((one) => authorizeLine(one)).join('\n'))])

test('a checkpoint is taken of what no text can hold too, and a change of it is found', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-bad-'))
  const key = signerOf(join(dir, 'evidence.key'))
  const [, half, last] = [await over(), await over(), await over()]
  await query(db, `update runs set output = '{"half":"\\ud83d"}' where id = $1`, [half])
  expect(await takeCheckpoint(db, key, { log })).toMatchObject({ number: 1, count: 3 })
  await query(db, `update runs set output = '{"half":"\\ud83d"}' where id = $1`, [last])
  expect(await verifyStore(db, key.publicKey, [])).toMatchObject({ runs: 3, intact: 2, faults: [expect.stringContaining(last)] })
  rmSync(dir, { recursive: true })
})

test.each([
  ['content', { content: { succeeded: DAY_MS }, metadata: {} }, 'update', 'select count(*)::int as n from runs where pruned_at is null'],
  ['metadata', { content: {}, metadata: { succeeded: DAY_MS } }, 'delete', 'select count(*)::int as n from runs'],
] as const)(
  'retention of %s leaves the run that cannot be changed, and goes on with the others and with the log',
  async (_, keep, event, left) => {
    const runs = [await over(), await over(), await over(), await over(), await over()]
    const bad = runs[2] ?? ''
    await refuse('runs', event, `old.id = '${bad}'`)
    await importLog(lines({ time: '2020-01-01T00:00:00Z' }), { db, paramsBytes: 0 })
    const done = await prune(db, { ...keep, log: DAY_MS }, undefined, log)
    expect(done.content + done.metadata).toBe(runs.length - 1)
    expect(done.log).toBe(1)
    expect(await query(db, left)).toEqual([{ n: 1 }])
    await expectOneBad('retention', bad)
  },
)

test('an import keeps each line but the one that Postgres refuses', async () => {
  await refuse('authorize_events', 'insert', "new.path = '/bad'")
  const counts = await importLog(lines({ path: '/1' }, { path: '/bad' }, { path: '/2' }, { path: '/3' }), { db, paramsBytes: 0, log })
  expect(counts).toMatchObject({ lines: 4, events: 4, added: 3 })
  const [bad] = said
  await expectOneBad('import', String(bad?.['row']))
})

/** A hosted run, with the call that its provider reported and the line that the log has of it. */
async function hosted(definition: object, args: unknown): Promise<string> {
  const id = `run_${randomUUID()}`
  const version = `sha256:${id}`
  await query(db, 'insert into job_versions (job, version, definition) values ($1, $2, $3)', ['work', version, JSON.stringify(definition)])
  await writeRun(db, { id, jobVersion: version })
  const attempt = await opened(db, id)
  const call = callRecord({ arguments: args })
  await query(
    db,
    `insert into tool_calls (id, run_id, turn, attempt, position, call_id, server, tool, arguments, repeatable, status, started_at)
     values ($1, $2, 1, $3, 0, '"c1"', 'counting', '"act"', $4, false, 'ok', now())`,
    [call.id, id, attempt.number, JSON.stringify(args)],
  )
  await query(
    db,
    `insert into gateway_requests (request_id_sent, run_id, attempt, account, account_id, method, host, path, server, request_bytes, sent_at)
     values ($1, $2, 1, 'reports', 'sa-reports', 'POST', 'counting.example', '/mcp', 'counting', 0, now())`,
    [randomUUID(), id],
  )
  return id
}

const hostedLine = (runId: string, params: unknown) => ({
  'request-id': randomUUID(),
  time: new Date().toISOString(),
  host: 'counting.example',
  'service-account-id': 'sa-reports',
  'mcp-method': 'tools/call',
  'mcp-tool': 'act',
  'mcp-tool-parameters': params,
  headers: { 'X-Nightshift-Run-Id': runId },
})

test.each([
  ['a definition that Postgres cannot look into', { delegate: 'hosted', tools: {}, prompt: 'a\0b' }, { n: 1 }],
  ['no tools', { delegate: 'hosted', tools: null }, { n: 1 }],
  ['arguments that have no digest', { delegate: 'hosted', tools: {} }, { n: '\ud83d' }],
])('matching goes past a hosted run with %s', async (_, definition, args) => {
  const good = { delegate: 'hosted', tools: { counting: { allow: ['act'] } } }
  const first = await hosted(good, { n: 1 })
  const bad = await hosted(definition, args)
  const last = await hosted(good, { n: 2 })
  await importLog(lines(hostedLine(first, { n: 1 }), hostedLine(bad, { n: 3 }), hostedLine(last, { n: 2 })), { db, paramsBytes: 0 })
  expect(await matchEvents({ graceMs: 0, db, ours, expected: [], log })).toBe(2)
  await expectOneBad('match', bad)
})

test.each([
  ['its request', 'matched_by is distinct from old.matched_by', []],
  ['an expected one', "new.matched_by = 'expected'", [{ account: 'bad' }, { account: 'reports', path: '/mcp' }]],
] as const)('matching goes past a line whose explanation by %s cannot be written', async (_, __, expected) => {
  await refuse('authorize_events', 'update', "old.account_id = 'sa-bad'")
  const ids = [randomUUID(), randomUUID(), randomUUID()]
  const line = (id: string | undefined, account: string) => ({
    'request-id': id,
    time: new Date().toISOString(),
    'service-account-id': account,
  })
  for (const [n, id] of ids.entries())
    if (expected.length === 0)
      await query(
        db,
        `insert into gateway_requests (request_id_sent, request_id, account, account_id, method, host, path, rpc_method, request_bytes, sent_at, status)
         values ($1::uuid, $1::text, 'reports', $2, 'POST', 'counting.localhost.pomerium.io:8443', '/mcp', 'tools/call', 0, now(), 200)`,
        [id, n === 1 ? 'sa-bad' : 'sa-reports'],
      )
  await importLog(lines(line(ids[0], 'sa-reports'), line(ids[1], 'sa-bad'), line(ids[2], 'sa-reports')), { db, paramsBytes: 0 })
  expect(await matchEvents({ graceMs: 0, db, ours, expected, log })).toBe(2)
  expect(said).toHaveLength(1)
  expect(await badRowStats(db)).toEqual([{ duty: 'match', rows: 1 }])
})

test('an alarm that cannot be kept, and one that its receiver refuses for ever, stand in no other’s way', async () => {
  await refuse('suspects', 'insert', "new.account_id = 'sa-bad'")
  const line = (account: string) => ({ 'request-id': randomUUID(), 'service-account-id': account })
  await importLog(lines(line('sa-bad'), line('sa-reports')), { db, paramsBytes: 0 })
  await query(db, `insert into alarms (id, body, created_at) values ($1, '{"id":"refused"}', now() - interval '1 day')`, [randomUUID()])
  const told: unknown[] = []
  const alarms = await raiseAlarms(
    {
      db,
      ours,
      expected: [],
      graceMs: 0,
      log: Object.assign(pino({ level: 'silent' }), log),
      now: () => new Date(Date.now() + DAY_MS),
      notify: async ({ body }) => {
        if (body.id === 'refused') throw new Error('HTTP 413')
        told.push(body.subject)
      },
    },
    { now: new Date(), aheadMs: 0 },
  )
  expect(alarms.map(({ account }) => account)).toEqual(['reports'])
  expect(told).toEqual(['reports'])
  expect(await badRowStats(db)).toEqual([{ duty: 'alarms', rows: 1 }])
})

test('the outbox sends every report but one whose target no destination can read', async () => {
  const ids = []
  for (const kind of ['file', 'odd', 'file']) {
    const id = await writeRun(db)
    const attempt = await opened(db, id)
    const target = { kind, ...(kind === 'file' && { to: id }) }
    await finishRun(db, attempt, { ...end, deliveries: [{ id: randomUUID(), target, status: 'pending' }] })
    ids.push(id)
  }
  const sent: string[] = []
  const outbox = createOutbox({
    db,
    log: Object.assign(pino({ level: 'silent' }), log),
    destinations: {
      send: async (target, { run }) => {
        if (target.kind === 'odd') throw new TypeError('there is no such kind')
        sent.push(run?.id ?? '')
        return { ok: true }
      },
      close: async () => {},
    },
  })
  await outbox.round()
  expect(new Set(sent)).toEqual(new Set([ids[0], ids[2]]))
  expect(await badRowStats(db)).toEqual([{ duty: 'outbox', rows: 1 }])
})

test('a store that is away, and a stop, are no fault of a row', async () => {
  const rows = createBadRows({ db, duty: 'import', log })
  const away = Object.assign(new Error('terminated'), { code: 'ECONNRESET' })
  const stopped = new DOMException('stopped', 'AbortError')
  await expect(rows.met('1', stopped)).rejects.toBe(stopped)
  await expect(
    rows.pass(
      ['1', '2'],
      (id) => id,
      () => query(db, 'select * from no_such_table'),
    ),
  ).rejects.toThrow('no_such_table')
  await expect(rows.pass(['1', '2'], (id) => id, async () => { throw away })).rejects.toBe(away) // prettier-ignore
  expect(await badRowStats(db)).toEqual([])
})
