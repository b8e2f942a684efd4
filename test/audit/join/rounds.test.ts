import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { gatewayClock } from '../../../src/store/audit/join/clock.ts'
import { createServedRequests } from '../../../src/store/audit/join/served.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { joinOf, RUN } from '../../support/log/joined.ts'

let database: TestDatabase
let db: Db

beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
})

afterEach(() => database[Symbol.asyncDispose]())

const LIST = { 'mcp-method': 'tools/list', 'mcp-tool': undefined, 'mcp-tool-parameters': undefined }

test('within the grace time the header of a run explains nothing, since an answer of ours may come in that has the id', async () => {
  const join = await joinOf(db, 'hosted')
  const id = await join.sent({ rpc: 'tools/list', seconds: 1 })
  await join.read([join.line(1, { 'request-id': 'by-pomerium', ...LIST })])
  join.setNow(20)
  expect(await join.match()).toBe(0)
  await join.answered(id, 'by-pomerium')
  expect(await join.match()).toBe(1)
  expect(await join.how()).toEqual(['request-id'])
  expect(await join.report()).toMatchObject({ missing: 0, unexplained: 0 })
})

test.each([true, false])(
  'a line that the header has explained is taken back by the request that has its id (thorough: %s)',
  async (thorough) => {
    const join = await joinOf(db, 'hosted')
    const id = await join.sent({ rpc: 'tools/list', seconds: 1 })
    await join.read([join.line(1, { 'request-id': 'by-pomerium', ...LIST })])
    expect(await join.match()).toBe(1)
    expect(await join.how()).toEqual(['run-header'])
    await join.answered(id, 'by-pomerium')
    expect(await join.match({ thorough })).toBe(thorough ? 1 : 0)
    expect(await join.how()).toEqual([thorough ? 'request-id' : 'run-header'])
  },
)

test('a line that an expected rule has explained is taken back by the request that has its id', async () => {
  const join = await joinOf(db, 'local')
  const id = await join.sent()
  await join.read([join.line(1, { 'request-id': 'by-pomerium' })])
  await join.match({ expected: [{ account: 'reports', path: '/mcp' }] })
  expect(await join.how()).toEqual(['expected'])
  await join.answered(id, 'by-pomerium')
  await join.match()
  expect(await join.how()).toEqual(['request-id'])
})

test('a line that was taken for a request by the id that we sent is let go when Pomerium answers with another', async () => {
  const join = await joinOf(db, 'local')
  const id = await join.sent()
  await join.read([join.line(1, { 'request-id': id, ip: '203.0.113.66' }), join.line(2, { 'request-id': 'by-pomerium' })])
  await join.match()
  expect(await join.how()).toEqual(['sent-id', null])
  await join.answered(id, 'by-pomerium')
  await join.match()
  expect(await join.how()).toEqual([null, 'request-id'])
})

test('one request under way is a doubt about one line: a thief who makes a hundred calls meanwhile is found at once', async () => {
  const join = await joinOf(db, 'local')
  await join.sent({ tool: 'act' })
  await join.read(Array.from({ length: 100 }, (_, i) => join.line(2, { 'request-id': `stolen-${i}`, headers: {}, ip: '203.0.113.66' })))
  await join.match()
  expect(await join.report()).toMatchObject({ unexplained: 99, recent: 1 })
  await join.ended(300)
  await join.match()
  expect(await join.report()).toMatchObject({ unexplained: 100, recent: 0 })
})

test('while Pomerium keeps the ids that we send, a line with another id is in no doubt', async () => {
  const join = await joinOf(db, 'local')
  const kept = randomUUID()
  await join.sent({ id: kept, returned: kept })
  await query(db, 'update gateway_requests set sent_at = now() where request_id_sent = $1', [kept])
  await join.sent({ tool: 'act' })
  await join.read([join.line(2, { 'request-id': 'stolen', headers: {} })])
  await join.match()
  expect(await join.report()).toMatchObject({ unexplained: 1, recent: 0 })
})

const theirs = { 'service-account-id': 'sa-other', headers: {} }

test('lines of others stand aside after one round, and come back when their account is ours', async () => {
  const join = await joinOf(db, 'local')
  await join.read([...Array.from({ length: 50 }, () => join.line(1, theirs)), join.line(1, { 'service-account-id': '', headers: {} })])
  await join.match({ thorough: false })
  expect(new Set(await join.how())).toEqual(new Set(['foreign']))
  expect(await join.report()).toMatchObject({ events: 51, matched: 0, foreign: 51, unexplained: 0 })
  join.ours.push({ accountId: 'sa-other', account: 'other' })
  await join.match({ thorough: true })
  expect(await join.report()).toMatchObject({ foreign: 1, unexplained: 50 })
})

test('lines of an account that requests of ours were made with later come back too', async () => {
  const join = await joinOf(db, 'local')
  await join.read([join.line(1, theirs)])
  await join.match()
  await join.sent()
  await query(db, `update gateway_requests set account_id = 'sa-other', account = 'other'`)
  await join.ended(300)
  await join.match()
  expect(await join.report()).toMatchObject({ foreign: 0, unexplained: 1 })
})

test('a line without an account waits for its grace, and is found by a request whose refusal is written later still', async () => {
  const join = await joinOf(db, 'local')
  const id = await join.sent({ rpc: null })
  await join.read([join.line(1, { 'request-id': 'refused', 'service-account-id': '', ...LIST })])
  join.setNow(20)
  await join.match()
  expect(await join.how()).toEqual([null])
  join.setNow(600)
  await join.match()
  expect(await join.how()).toEqual(['foreign'])
  await join.answered(id, 'refused', 401)
  await join.match()
  expect(await join.how()).toEqual(['request-id'])
})

test.each([-300, -6, 0, 6, 300])(
  'a gateway whose clock is %i s ahead: hosted lines are explained, and the difference is measured',
  async (ahead) => {
    const join = await joinOf(db, 'hosted')
    join.setNow(2000)
    const lines: string[] = []
    for (let i = 0; i < 5; i++) {
      await join.sent({ rpc: 'tools/list', seconds: i, returned: `own-${i}` })
      lines.push(join.line(ahead + i, { 'request-id': `own-${i}`, ...LIST }))
    }
    await join.called('act', { n: 1 })
    await join.ended(10)
    lines.push(join.line(ahead + 2), join.line(ahead + 2, LIST))
    await join.read(lines)
    await join.match()
    expect(await join.report()).toMatchObject({ events: 7, matched: 7, unexplained: 0 })
    const { aheadMs, pairs } = await gatewayClock(db)
    expect(pairs).toBe(5)
    expect(Math.abs((aheadMs ?? 0) - ahead * 1000)).toBeLessThanOrEqual(500)
  },
)

test('times of another day measure no clock', async () => {
  const join = await joinOf(db, 'local')
  await join.sent({ returned: 'own' })
  await query(db, `update gateway_requests set written_at = written_at + interval '1 day'`)
  await join.read([join.line(1, { 'request-id': 'own' })])
  await join.match()
  expect(await gatewayClock(db)).toEqual({ aheadMs: null, pairs: 0 })
})

test('a line whose grace ends between the join and the report is too young to say: nobody has looked for what explains it', async () => {
  const join = await joinOf(db, 'hosted')
  await join.sent({ rpc: 'tools/list', seconds: 0, returned: 'own' })
  await join.read([join.line(0, { 'request-id': 'own', ...LIST }), join.line(1, LIST)])
  join.setNow(25)
  await join.match()
  join.setNow(600)
  expect(await join.report()).toMatchObject({ matched: 1, unexplained: 0, recent: 1 })
  await join.match()
  expect(await join.report()).toMatchObject({ matched: 2, unexplained: 0, recent: 0 })
})

/** What a thief who has the token and the header of a hosted run may do at the same time: elsewhere than the run's provider was sent to. */
test.each([
  ['a look at another path of the server', { method: 'GET', path: '/.pomerium/mcp/connect', 'mcp-method': undefined }],
  ['a list of routes', { method: 'GET', path: '/.pomerium/mcp/routes', 'mcp-method': undefined }],
  ['a call on another server', { host: 'crm.localhost.pomerium.io' }],
])('with the header of a hosted run, %s is found', async (_, fields) => {
  const join = await joinOf(db, 'hosted')
  await join.sent({ rpc: 'tools/list', seconds: 0, returned: 'own' })
  await join.called('act', { n: 1 })
  await join.read([
    join.line(0, { 'request-id': 'own', ...LIST }),
    join.line(2, { 'request-id': 'of-the-provider' }),
    join.line(2, { 'request-id': 'stolen', ...fields }),
  ])
  await join.ended(10)
  await join.match()
  expect(await join.report()).toMatchObject({ matched: 2, unexplained: 1, unexplainedEvents: [{ runHeader: RUN }] })
})

/** The clock of the test is not that of the store. */
const SERVED_THEN = 'update served_requests set served_at = (select min(time) from authorize_events)'
const API = 'nightshift.example.com'
const API_LINE = {
  host: API,
  path: '/v1/runs',
  'mcp-method': undefined,
  'mcp-tool': undefined,
  'mcp-tool-parameters': undefined,
  headers: undefined,
}

test('a line of a request that the API served is of its caller, who may share an account of ours', async () => {
  const join = await joinOf(db, 'local')
  await createServedRequests(db, pino({ level: 'silent' }))({ requestId: 'served', host: API })
  await join.read([join.line(1, { ...API_LINE, 'request-id': 'served' })])
  await query(db, SERVED_THEN)
  expect(await join.match()).toBe(1)
  expect(await join.how()).toEqual(['expected'])
  expect(await join.report()).toMatchObject({ unexplained: 0 })
})

test('a thief gains nothing by the id of a request that the API served: not on another host, not for a tool, not a second time, not another day', async () => {
  const join = await joinOf(db, 'local')
  await createServedRequests(db, pino({ level: 'silent' }))({ requestId: 'served', host: API })
  const id = { 'request-id': 'served' }
  const tool = { 'mcp-method': 'tools/call', 'mcp-tool': 'act', 'mcp-tool-parameters': {} }
  await join.read([
    join.line(1, { ...API_LINE, ...id, path: '/mcp', host: 'labor.example.com' }),
    join.line(2, { ...API_LINE, ...id, ...tool }),
    join.line(3, { ...API_LINE, ...id }),
    join.line(4, { ...API_LINE, ...id }),
  ])
  await query(db, SERVED_THEN)
  await join.match()
  expect(await join.how()).toEqual([null, null, 'expected', null])
  await query(db, "update authorize_events set matched_by = null; update served_requests set served_at = served_at - interval '1 day'")
  await join.match()
  expect(await join.how()).toEqual([null, null, null, null])
})
