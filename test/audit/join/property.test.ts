import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { importLog } from '../../../src/audit/log/import.ts'
import { matchEvents } from '../../../src/audit/join/match.ts'
import { auditReport } from '../../../src/audit/report.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'
import { disturbed } from '../../support/log/log-lines.ts'
import { sampleLines, sampleRequests, writeRequests } from '../../support/log/log-sample.ts'

const now = new Date('2026-11-24T00:00:00Z')
const known = sampleRequests.filter(({ runId }) => runId !== null)
const ids = new Map(known.map(({ requestIdSent, requestId }) => [requestIdSent, requestId]))

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  await writeRequests(database.db, known)
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

async function audited(text: string) {
  const { db } = database
  await query(db, 'truncate authorize_events')
  const counts = await importLog(Readable.from([Buffer.from(text)]), { db, paramsBytes: 50 })
  await matchEvents({ db, ours: () => [], expected: [], graceMs: 0, now: () => now })
  const rows = await query<{ request_id: string; gateway_request: string | null }>(
    db,
    'select request_id, gateway_request from authorize_events order by id',
  )
  const report = await auditReport(db, [], { graceMs: 0, asOf: { now, aheadMs: 0 } })
  return { counts, rows, report }
}

/** A real log as it may arrive: its lines in any order, twice or missing, one in twenty cut, and with either end of line. */
const arrived = fc
  .tuple(
    disturbed(sampleLines.map((line, i) => ({ line, i }))),
    fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([lines, luck, end]) => {
    const next = () => luck.next().value ?? 1
    return lines.map(({ line }) => (next() < 0.05 ? line.slice(0, Math.floor(next() * line.length)) : line)).join(end)
  })

test('a real log with its lines in any order, twice, missing or cut gives no false match', async () => {
  await fc.assert(
    fc.asyncProperty(arrived, async (text) => {
      const { counts, rows, report } = await audited(text)
      const matched = rows.filter(({ gateway_request }) => gateway_request !== null)
      for (const { request_id, gateway_request } of matched) expect(ids.get(gateway_request ?? '')).toBe(request_id)
      expect(new Set(matched.map(({ gateway_request }) => gateway_request)).size).toBe(matched.length)
      // Each request that has a line is matched, once: the second of two equal lines is nobody's.
      const seen = new Set(rows.map(({ request_id }) => request_id).filter((id) => known.some(({ requestId }) => requestId === id)))
      expect(matched).toHaveLength(seen.size)
      expect(rows).toHaveLength(counts.events)
      expect(report).toMatchObject({ events: counts.events, matched: matched.length })
      expect(report.unexplained + report.recent + report.foreign).toBe(counts.events - matched.length)
    }),
    { numRuns: 25 },
  )
})

test.each([
  ['half of its bytes', 2],
  ['a third', 3],
  ['a tenth', 10],
])('a log that is cut after %s gives no false match', async (_, part) => {
  const bytes = Buffer.from(sampleLines.join('\n'))
  const { rows } = await audited(bytes.subarray(0, Math.floor(bytes.length / part)).toString())
  expect(rows.length).toBeGreaterThan(0)
  for (const { request_id, gateway_request } of rows) if (gateway_request !== null) expect(ids.get(gateway_request)).toBe(request_id)
  const matched = rows.filter(({ gateway_request }) => gateway_request !== null)
  expect(matched).toHaveLength(rows.filter(({ request_id }) => known.some(({ requestId }) => requestId === request_id)).length)
})

test('lines whose ids were given to other accounts, hosts or methods match nothing', async () => {
  const wrong = [
    (line: string) => line.replace(/"service-account-id":"[^"]*"/, '"service-account-id":"another"'),
    (line: string) => line.replace(/"host":"[^"]*"/, '"host":"another.example.com"'),
    (line: string) => line.replace(/"method":"[^"]*"/, '"method":"PUT"'),
    (line: string) => line.replace(/"mcp-method":"[^"]*"/, '"mcp-method":"resources/read"'),
  ]
  for (const change of wrong) {
    const changed = sampleLines.map(change)
    const text = changed.filter((line, i) => line !== sampleLines[i]).join('\n')
    const { rows } = await audited(text)
    expect(rows.length).toBeGreaterThan(100)
    expect(rows.filter(({ gateway_request }) => gateway_request !== null)).toEqual([])
  }
})
