import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createGunzip, gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { importLog } from '../../src/audit/import.ts'
import { matchEvents } from '../../src/audit/match.ts'
import { auditReport } from '../../src/audit/report.ts'
import { query, type Db } from '../../src/store/db.ts'
import { createTestDatabase } from '../support/database.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures')
const ACCOUNT = { a: 'reports' }

const requestsSchema = z.array(
  z.object({
    requestIdSent: z.string(),
    requestId: z.string(),
    account: z.string(),
    host: z.string(),
    rpcMethod: z.string().nullable(),
    runId: z.string().nullable(),
    status: z.number(),
  }),
)

const requests = requestsSchema.parse(
  JSON.parse(gunzipSync(readFileSync(join(FIXTURES, 'pomerium-log-sample.requests.json.gz'))).toString()),
)
const sample = () => createReadStream(join(FIXTURES, 'pomerium-log-sample.jsonl.gz')).pipe(createGunzip())
/** Later than the log, so that every line had its grace. */
const now = new Date('2026-11-24T00:00:00Z')

async function know(db: Db, known: typeof requests): Promise<void> {
  for (const request of known) {
    const method = request.rpcMethod === null ? 'GET' : 'POST'
    await query(
      db,
      `insert into gateway_requests (request_id_sent, request_id, account, account_id, method, host, path, rpc_method, request_bytes, sent_at, status)
       select $1, $2, $3, $4, coalesce((select e.method from authorize_events e where e.request_id = $2), $5), $6, '/mcp', $7, 0, '2026-11-23T09:35:03Z', $8`,
      [request.requestIdSent, request.requestId, ACCOUNT.a, request.account, method, request.host, request.rpcMethod, request.status],
    )
  }
}

test('of a real log, every line finds its request, and reading it twice changes nothing', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const options = { db, paramsBytes: 2048 }
  expect(await importLog(sample(), options)).toMatchObject({ lines: 1707, events: 427, added: 427, skipped: 1280, broken: 0 })
  await know(db, requests)
  expect(await matchEvents({ db, ours: () => [], expected: [], now: () => now })).toBe(427)
  expect(await importLog(sample(), options)).toMatchObject({ events: 427, added: 0 })
  expect(await matchEvents({ db, ours: () => [], expected: [], now: () => now })).toBe(0)
  expect(await auditReport(db, [], { graceMs: 0, now })).toMatchObject({ events: 427, matched: 427, unexplained: 0, missing: 0 })
})

test('the seven calls that belong to no run are exactly those that nothing explains, when only the others are known', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await importLog(sample(), { db, paramsBytes: 0 })
  const ofRuns = requests.filter(({ runId }) => runId !== null)
  await know(db, ofRuns)
  await matchEvents({ db, ours: () => [], expected: [], now: () => now })
  const ours = [...new Set(requests.map(({ account }) => account))].map((accountId) => ({ accountId, account: ACCOUNT.a }))
  const report = await auditReport(db, ours, { graceMs: 0, now })
  expect(report).toMatchObject({ events: 427, matched: 420, unexplained: 7, missing: 0 })
  const strangers = requests.filter(({ runId }) => runId === null).map(({ requestId }) => requestId)
  expect(report.unexplainedEvents.map(({ requestId }) => requestId).toSorted()).toEqual(strangers.toSorted())
})
