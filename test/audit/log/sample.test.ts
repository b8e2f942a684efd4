import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { expect, test } from 'vitest'
import { importLog } from '../../../src/audit/log/import.ts'
import { matchEvents } from '../../../src/audit/join/match.ts'
import { auditReport } from '../../../src/audit/report.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { sampleRequests, writeRequests } from '../../support/log/log-sample.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures')

const sample = () => createReadStream(join(FIXTURES, 'pomerium-log-sample.jsonl.gz')).pipe(createGunzip())
/** Later than the log, so that every line had its grace. */
const now = new Date('2026-11-24T00:00:00Z')

test('of a real log, every line finds its request, and reading it twice changes nothing', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const options = { db, paramsBytes: 2048 }
  expect(await importLog(sample(), options)).toMatchObject({ lines: 1707, events: 427, added: 427, skipped: 1280, broken: 0 })
  await writeRequests(db, sampleRequests)
  expect(await matchEvents({ db, ours: () => [], expected: [], graceMs: 0, now: () => now })).toBe(427)
  expect(await importLog(sample(), options)).toMatchObject({ events: 427, added: 0 })
  expect(await matchEvents({ db, ours: () => [], expected: [], graceMs: 0, now: () => now })).toBe(0)
  expect(await auditReport(db, [], { graceMs: 0, asOf: { now, aheadMs: 0 } })).toMatchObject({
    events: 427,
    matched: 427,
    unexplained: 0,
    missing: 0,
  })
})

test('the seven calls that belong to no run are exactly those that nothing explains, when only the others are known', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await importLog(sample(), { db, paramsBytes: 0 })
  const ofRuns = sampleRequests.filter(({ runId }) => runId !== null)
  await writeRequests(db, ofRuns)
  await matchEvents({ db, ours: () => [], expected: [], graceMs: 0, now: () => now })
  const ours = [...new Set(sampleRequests.map(({ account }) => account))].map((accountId) => ({ accountId, account: 'reports' }))
  const report = await auditReport(db, ours, { graceMs: 0, asOf: { now, aheadMs: 0 } })
  expect(report).toMatchObject({ events: 427, matched: 420, unexplained: 7, missing: 0 })
  const strangers = sampleRequests.filter(({ runId }) => runId === null).map(({ requestId }) => requestId)
  expect(report.unexplainedEvents.map(({ requestId }) => requestId).toSorted()).toEqual(strangers.toSorted())
})
