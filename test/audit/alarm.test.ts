import { Readable } from 'node:stream'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AlarmRefused, raiseAlarms, sendAlarms, type AlarmOptions } from '../../src/audit/alarm.ts'
import { importLog } from '../../src/audit/log/import.ts'
import { watchSilence } from '../../src/audit/silence.ts'
import { countLineless } from '../../src/store/audit/lineless.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { alarmStats } from '../../src/store/stats.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'
import { authorizeLine } from '../support/log/log-lines.ts'

let database: TestDatabase
let db: Db
let said: string[]

beforeEach(async () => {
  database = await createTestDatabase()
  db = database.db
  said = []
})

afterEach(() => database[Symbol.asyncDispose]())

const log = pino({ level: 'warn' }, { write: (line) => void said.push(line) })
const accounts = [1, 2].map((n) => ({ accountId: `sa-${n}`, account: `account-${n}` }))

async function raise(notify: AlarmOptions['notify'], ids: readonly string[]): Promise<void> {
  const text = ids.map((id) => authorizeLine({ 'service-account-id': id, path: `/${'x'.repeat(7000)}` })).join('\n')
  await importLog(Readable.from([Buffer.from(text)]), { db, paramsBytes: 0 })
  await raiseAlarms({ db, ours: () => accounts, expected: [], graceMs: 0, log, notify }, { now: new Date(), aheadMs: 0 })
}

test('an alarm that its receiver refuses for ever is an error and a metric, and the next one arrives', async () => {
  const told: string[] = []
  const refusing: AlarmOptions['notify'] = async ({ body }) => {
    if (body.subject === 'account-1') throw new AlarmRefused('HTTP 413')
    told.push(body.subject)
  }
  await raise(refusing, ['sa-1'])
  await raise(refusing, ['sa-2'])
  expect(told).toEqual(['account-2'])
  const refusals = said.filter((line) => line.includes('refuses this one'))
  expect(refusals.length).toBeGreaterThan(0)
  for (const line of refusals) expect(JSON.parse(line)).toMatchObject({ level: 50, reason: expect.stringContaining('HTTP 413') })
  expect(await alarmStats(db)).toEqual({ waiting: 0, refused: 1 })
  // The receiver was mended.
  await query(db, 'update alarms set next_try_at = now()')
  await sendAlarms({ db, log, notify: async ({ body }) => void told.push(body.subject) })
  expect(told).toEqual(['account-2', 'account-1'])
  expect(await alarmStats(db)).toEqual({ waiting: 0, refused: 0 })
})

test('an alarm of a thousand long lines is small', async () => {
  const bodies: string[] = []
  await raise(
    async ({ body }) => void bodies.push(JSON.stringify(body)),
    Array.from({ length: 1000 }, () => 'sa-1'),
  )
  expect(bodies).toHaveLength(1)
  expect(bodies[0]?.length).toBeLessThan(20_000)
})

/** A request of ours as it was answered so many minutes ago. */
const answered = (minutes: number, status = 200) =>
  query(
    db,
    `insert into gateway_requests (request_id_sent, request_id, account, account_id, method, host, path, rpc_method, request_bytes, sent_at, status)
     values (gen_random_uuid(), gen_random_uuid()::text, 'account-1', 'sa-1', 'POST', 'hr.example.com', '/mcp', 'tools/call', 0, now() - make_interval(mins => $1), $2)`,
    [minutes, status],
  )
const followed = () => query(db, `insert into log_positions (file, inode, byte_offset) values ('/var/log/pomerium.log', '1', 0)`)

test.each([
  ['of some minutes ago', 6, 200, 1],
  ['of now', 1, 200, 0],
  ['of long ago', 90, 200, 0],
  ['to a host that no route serves', 6, 404, 0],
])('a request %s without a line, while a log is followed', async (_, minutes, status, requests) => {
  await followed()
  await answered(minutes, status)
  expect(await countLineless(db, 0)).toMatchObject({ requests })
})

test('where nobody ever followed a log, or the grace time is longer, no line is missed', async () => {
  await answered(6)
  expect(await countLineless(db, 0)).toMatchObject({ requests: 0 })
  await followed()
  expect(await countLineless(db, 10 * 60_000)).toMatchObject({ requests: 0 })
  expect(await countLineless(db, 0)).toMatchObject({ requests: 1 })
})

test('when nobody reads the log, another process tells it, once an hour, and sends what the follower left', async () => {
  const told: { type: string; data: unknown }[] = []
  const options = { db, graceMs: 0, log, notify: async ({ body }: { body: { type: string; data: unknown } }) => void told.push(body) }
  await raise(() => Promise.reject(new Error('the follower died')), ['sa-2'])
  await query(db, 'update alarms set next_try_at = now()')
  await followed()
  await answered(6)
  await Promise.all([watchSilence(options), watchSilence(options)])
  await watchSilence(options)
  const kinds = new Set(told.map(({ type }) => type))
  expect(kinds).toEqual(new Set(['nightshift.audit.unexplained', 'nightshift.audit.silent']))
  expect(await query(db, `select 1 from alarms where body ->> 'type' = 'nightshift.audit.silent'`)).toHaveLength(1)
  expect(told.find(({ type }) => type.endsWith('silent'))?.data).toMatchObject({ requests: 1, since: expect.any(String) })
  expect(said.filter((line) => line.includes('have no line'))).toHaveLength(1)
})
