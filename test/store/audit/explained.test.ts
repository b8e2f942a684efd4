import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { raiseAlarms, type AlarmOptions } from '../../../src/audit/alarm.ts'
import { importLog } from '../../../src/audit/log/import.ts'
import { matchEvents } from '../../../src/audit/join/match.ts'
import { auditReport } from '../../../src/audit/report.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'

const now = new Date('2026-11-24T10:10:00Z')
const ours = () => [{ accountId: 'sa-reports', account: 'reports' }]

let database: TestDatabase
let db: Db

beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
})

afterEach(() => database[Symbol.asyncDispose]())

interface Sent {
  returned?: string | null
  toolCall?: string
  status?: number | null
  error?: string
  rpc?: string | null
}

/** A request as a worker writes it; returns the id that was sent. */
async function sent({ returned, toolCall, status = 200, error, rpc = 'tools/call' }: Sent = {}): Promise<string> {
  const id = randomUUID()
  await query(
    db,
    `insert into gateway_requests (request_id_sent, request_id, tool_call_id, account, account_id, method, host, path, rpc_method, request_bytes, sent_at, status, error)
     values ($1, $2, $3, 'reports', 'sa-reports', 'POST', 'counting.localhost.pomerium.io:8443', '/mcp', $4, 0, '2026-11-24T10:00:00Z', $5, $6)`,
    [id, returned === undefined ? id : returned, toolCall ?? null, rpc, status, error ?? null],
  )
  return id
}

const read = (lines: readonly string[]) => importLog(Readable.from([Buffer.from(lines.join('\n'))]), { db, paramsBytes: 0 })
const match = (extra: Partial<Parameters<typeof matchEvents>[0]> = {}) =>
  matchEvents({ db, ours, expected: [], graceMs: 0, now: () => now, ...extra })
const report = (graceMs = 0) => auditReport(db, ours(), { graceMs, asOf: { now, aheadMs: 0 } })

test('a call that was sent again after its session was lost has each of its lines explained', async () => {
  const toolCall = randomUUID()
  const [first, second] = [await sent({ toolCall, status: 404 }), await sent({ toolCall })]
  await read([authorizeLine({ 'request-id': first }), authorizeLine({ 'request-id': second })])
  expect(await match()).toBe(2)
  const third = await sent({ toolCall })
  await read([authorizeLine({ 'request-id': third })])
  expect(await match()).toBe(1)
  expect(await report()).toMatchObject({ matched: 3, unexplained: 0 })
})

test('a request whose answer was lost is found by the id that was sent', async () => {
  const id = await sent({ returned: null, status: null, error: 'ECONNRESET' })
  await read([authorizeLine({ 'request-id': id })])
  expect(await match()).toBe(1)
  const rows = await query<{ matched_by: string }>(db, 'select matched_by from authorize_events')
  expect(rows).toEqual([{ matched_by: 'sent-id' }])
})

test('a request whose method is not known explains a line of its id, but never a call', async () => {
  const [cancelled, call] = [await sent({ rpc: null }), await sent({ rpc: null })]
  await read([
    authorizeLine({ 'request-id': cancelled, 'mcp-method': 'notifications/cancelled', 'mcp-tool': undefined }),
    authorizeLine({ 'request-id': call }),
  ])
  expect(await match()).toBe(1)
  expect((await report()).unexplainedEvents).toMatchObject([{ requestId: call }])
})

test.each([
  ['another method', { 'mcp-method': 'initialize' }],
  ['another account', { 'service-account-id': 'sa-other' }],
  ['another host', { host: 'crm.localhost.pomerium.io' }],
  ['another HTTP method', { method: 'GET' }],
])('a request explains no line of its id with %s', async (_, fields) => {
  const id = await sent()
  await read([authorizeLine({ 'request-id': id, ...fields })])
  expect(await match()).toBe(0)
})

test('two processes that match at once explain each line once', async () => {
  const ids = await Promise.all(Array.from({ length: 50 }, () => sent()))
  await read(ids.flatMap((id) => [authorizeLine({ 'request-id': id }), authorizeLine({ 'request-id': id })]))
  const counts = await Promise.all([match(), match(), match()])
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(50)
  expect(await report()).toMatchObject({ matched: 50, unexplained: 50 })
})

test('more noise than a page is expected as it was declared, and no more', async () => {
  const noise = Array.from({ length: 1500 }, () =>
    authorizeLine({ host: 'crm.localhost.pomerium.io:8443', path: '/health', ip: '10.0.0.9' }),
  )
  const others = [{ path: '/other' }, { ip: '10.0.0.8' }, { host: 'hr.example.com' }, { 'service-account-id': 'sa-other' }].map((fields) =>
    authorizeLine({ host: 'crm.localhost.pomerium.io:8443', path: '/health', ip: '10.0.0.9', ...fields }),
  )
  await read([...noise, ...others])
  await match({ expected: [{ account: 'reports', host: 'CRM.localhost.pomerium.io', path: '/health', ip: '10.0.0.9' }] })
  expect(await report()).toMatchObject({ expected: 1500, unexplained: 3, foreign: 1 })
})

const raise = (notify: AlarmOptions['notify']) =>
  raiseAlarms({ db, ours, expected: [], graceMs: 0, now: () => now, log: pino({ level: 'silent' }), notify }, { now, aheadMs: 0 })

test('an alarm is raised for each new line, however many raised one before', async () => {
  const told: unknown[] = []
  const tell = async ({ body }: { body: unknown }) => void told.push(body)
  await read(Array.from({ length: 1500 }, () => authorizeLine()))
  const alarms = [await raise(tell), await raise(tell)].flat()
  expect(alarms.map(({ events }) => events.length)).toEqual([1000, 500])
  expect(await raise(tell)).toEqual([])
  await read([authorizeLine({ 'request-id': 'the-new-one' })])
  expect(await raise(tell)).toMatchObject([{ account: 'reports', accountId: 'sa-reports', events: [{ requestId: 'the-new-one' }] }])
  expect(told).toHaveLength(3)
  expect(told[2]).toMatchObject({ subject: 'reports', data: { events: [{ requestId: 'the-new-one' }] } })
})

test('an alarm that could not be sent is sent in a later round, as the same one', async () => {
  const told: string[] = []
  await read([authorizeLine()])
  const broken = async ({ id }: { id: string }) => {
    told.push(id)
    throw new Error('receiver down')
  }
  expect(await raise(broken)).toHaveLength(1)
  expect(await raise(async ({ id }) => void told.push(id))).toEqual([])
  expect(told).toEqual([told[0], told[0]])
  await raise(async ({ id }) => void told.push(id))
  expect(told).toHaveLength(2)
})

test('a line within the grace time is too young to say, and no alarm', async () => {
  await read([authorizeLine({ time: '2026-11-24T10:09:59Z' }), authorizeLine()])
  expect(await report(30_000)).toMatchObject({ events: 2, unexplained: 1, recent: 1 })
})

test('a log of last month is matched when it is imported', async () => {
  const id = await sent()
  await read([authorizeLine({ 'request-id': id })])
  const later = () => new Date('2026-12-24T00:00:00Z')
  expect(await match({ now: later })).toBe(0)
  expect(await match({ now: later, since: new Date('2026-11-24T10:00:00Z') })).toBe(1)
})

test.each([
  ['answered', {}, 1],
  ['refused a connection', { status: null, error: 'ECONNREFUSED' }, 0],
  ['given up before its answer', { status: null, error: 'AbortError' }, 0],
  ['never sent', { status: null, error: 'not sent' }, 0],
  ['of a worker that was killed', { status: null }, 0],
  ['broken off', { status: null, error: 'ECONNRESET' }, 1],
])('a request without a line that was %s', async (_, about, missing) => {
  await sent({ returned: null, ...about })
  await read([authorizeLine({ time: '2026-11-24T09:00:00Z' }), authorizeLine({ time: '2026-11-24T10:05:00Z' })])
  await match()
  expect(await report()).toMatchObject({ missing })
})
