import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createLogDuties, readLog, watchLog, type ReadOptions } from '../../../src/audit/read.ts'
import { badRowStats } from '../../../src/store/bad-rows.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { authorizeLine } from '../../support/log/log-lines.ts'

/** A log that is watched, the alarms that were sent, and what was said. */
async function startWatching() {
  await using building = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-watch-'))
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  const { db } = building.use(await createTestDatabase())
  const file = join(dir, 'pomerium.log')
  const stop = new AbortController()
  const alarms: unknown[] = []
  const said: string[] = []
  let isAway = false
  const options: ReadOptions = {
    db,
    ours: () => [{ accountId: 'sa-reports', account: 'reports' }],
    expected: [],
    graceMs: 0,
    paramsBytes: 0,
    log: pino({ level: 'error' }, { write: (line) => void said.push(line) }),
    async notify({ body }) {
      if (isAway) throw new Error('the receiver is away')
      alarms.push(body)
    },
  }
  const duties = createLogDuties()
  const watching = watchLog(options, file, duties, stop.signal)
  building.defer(async () => {
    stop.abort()
    await watching
  })
  const stack = building.move()
  return {
    db,
    alarms,
    duties,
    /** Reads a line as a whole log. */
    importLine: () => readLog(options, Readable.from([Buffer.from(`${authorizeLine()}\n`)]), new AbortController().signal),
    /** Nobody watches from now on. */
    async stop() {
      stop.abort()
      await watching
    },
    joinFailures: () => said.filter((line) => line.includes('could not be joined')),
    write: (fields: Record<string, unknown> = {}) => appendFileSync(file, `${authorizeLine(fields)}\n`),
    setAway: (away: boolean) => (isAway = away),
    /** What the join needs is not there: no row of the log is at fault. */
    breakJoin: () => query(db, 'alter table tool_calls rename to gone'),
    mendJoin: () => query(db, 'alter table gone rename to tool_calls'),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

test('an alarm that was raised goes out while lines cannot be joined, and that they cannot is said and counted', async () => {
  await using watched = await startWatching()
  watched.setAway(true)
  watched.write()
  await expect.poll(() => query(watched.db, 'select id from alarms')).toHaveLength(1)
  await watched.breakJoin()
  await expect.poll(watched.joinFailures).not.toHaveLength(0)
  watched.setAway(false)
  await expect.poll(() => watched.alarms).toHaveLength(1)
  expect(await badRowStats(watched.db)).toEqual([{ duty: 'match', rows: 1 }])
})

test('lines that cannot be joined for long raise an alarm, and what was read meanwhile is looked at when they can', async () => {
  await using watched = await startWatching()
  await watched.breakJoin()
  watched.write()
  await expect.poll(() => watched.alarms).toHaveLength(1)
  expect(watched.joinFailures().length).toBeGreaterThanOrEqual(5)
  await watched.mendJoin()
  watched.write({ 'service-account-id': 'sa-reports', 'mcp-tool': 'look' })
  await expect.poll(() => watched.alarms).toHaveLength(2)
})

test('whatever the sender of a request chose in its line, an alarm is raised, and its size is bounded', async () => {
  await using watched = await startWatching()
  const long = 'x'.repeat(300_000)
  watched.write({
    'request-id': long,
    'mcp-tool': long,
    'mcp-method': long,
    path: `/${long}`,
    host: long,
    headers: { 'x-nightshift-run-id': long },
  })
  await expect.poll(() => watched.alarms).toHaveLength(1)
  expect(JSON.stringify(watched.alarms).length).toBeLessThan(5000)
})

test('an import that cannot join its lines fails, and alarms that were raised go out', async () => {
  await using watched = await startWatching()
  watched.setAway(true)
  watched.write()
  await expect.poll(() => query(watched.db, 'select id from alarms')).toHaveLength(1)
  await watched.stop()
  await watched.breakJoin()
  watched.setAway(false)
  await query(watched.db, 'update alarms set next_try_at = now()')
  await expect(watched.importLine()).rejects.toThrow('tool_calls')
  expect(watched.alarms).toHaveLength(1)
})

test('a line of an account of ours that cannot be read is an alarm', async () => {
  await using watched = await startWatching()
  watched.write({ 'request-id': 7 })
  await expect.poll(() => watched.alarms).toHaveLength(1)
  expect(watched.alarms).toMatchObject([{ data: { accountId: 'sa-reports', events: [{ method: 'unreadable' }] } }])
})
