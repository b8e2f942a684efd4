import { join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { openAudit } from '../../src/app/open/audit.ts'
import { createLogDuties, watchLog } from '../../src/audit/read.ts'
import { makeReport } from '../../src/audit/report.ts'
import { environment } from '../../src/config/environment.ts'
import { query } from '../../src/store/postgres/db.ts'
import { countingJob } from '../support/app/jobs.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { startRotatingLog } from '../support/log/rotating-log.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'

/** More of them: NIGHTSHIFT_TEST_LOAD_RUNS=900 npx vitest run --project system test/audit/load.test.ts */
const RUNS = Number(environment['NIGHTSHIFT_TEST_LOAD_RUNS'] ?? 80)
const AT_ONCE = 20
const ROTATIONS = ['moved', 'cut', 'moved', 'cut', 'moved', 'cut'] as const

const job = (more = '') => countingJob({ model: 'plain', prompt: 'Do it. This is {{ run_id }}.', more })

test.each([
  ['keeps the ids of our requests', false],
  ['replaces the ids of our requests', true],
])(
  `${RUNS} runs, ${AT_ONCE} at a time, local and hosted, beside a log that is rotated six times and a gateway that %s: nothing is missing, unexplained or told`,
  { timeout: 120_000 + 2000 * RUNS },
  async (_, replaceRequestIds) => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      routes: [countingRoute(server)],
      jobs: { local: job(), hosted: job('delegate: hosted') },
      scripts: { plain: 'call counting__act {"n": 1} & counting__look {"n": 2}\ncall counting__look {"n": 2}\nsay $1' },
      replaceRequestIds,
      config: { audit: { gracePeriod: '5s' }, worker: { concurrency: AT_ONCE } },
    })
    using rotating = startRotatingLog(testApp.world.logFile, join(testApp.dir, 'rotated.log'))
    const stop = new AbortController()
    await using audit = await openAudit(testApp.app.config, pino({ level: 'silent' }))
    const watching = watchLog(audit, rotating.file, createLogDuties(), stop.signal)

    const ids = await Promise.all(Array.from({ length: RUNS }, (_run, i) => testApp.queue(i % 2 === 0 ? 'local' : 'hosted')))
    await testApp.app.worker.start()
    let over = 0
    let rotated = 0
    const runs = await Promise.all(
      ids.map(async (id) => {
        const run = await testApp.finished(id)
        over++
        if (over * (ROTATIONS.length + 1) >= RUNS * (rotated + 1) && rotated < ROTATIONS.length)
          rotating.rotate(ROTATIONS[rotated++] ?? 'cut')
        return run
      }),
    )
    expect(rotated).toBe(ROTATIONS.length)
    expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['succeeded']))
    await testApp.world.gateway.flushLog()

    // Joined as a person does who asks, beside the follower.
    const report = () => makeReport(audit, {})
    await expect
      .poll(
        async () => {
          const { events, recent } = await report()
          return { lines: events - rotating.checks(), recent }
        },
        { timeout: 60_000, interval: 500 },
      )
      .toEqual({ lines: 0, recent: 0 })
    const found = await report()
    stop.abort()
    await watching
    const [requests] = await query<{ n: number }>(testApp.app.db, 'select count(*)::int as n from gateway_requests')
    const figures = `${RUNS} runs, ${requests?.n} requests of ours, ${found.events} lines: ${found.matched} matched, ${found.missing} missing, ${found.unexplained} unexplained`
    expect(found, figures).toMatchObject({ matched: found.events, missing: 0, unexplained: 0, gaps: [] })
    expect(found.events).toBeGreaterThan(requests?.n ?? 0)
    expect(await query(testApp.app.db, 'select body from alarms')).toEqual([])
    // Each request of ours by its id, whatever else could have explained its line.
    const [byId] = await query<{ n: number }>(testApp.app.db, 'select count(gateway_request)::int as n from authorize_events')
    expect(byId?.n).toBe(requests?.n)
    process.stdout.write(`${figures}\n`)
  },
)
