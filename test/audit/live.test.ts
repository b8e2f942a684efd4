import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { openAudit } from '../../src/app/open/audit.ts'
import { raiseAlarms } from '../../src/audit/alarm.ts'
import { environment } from '../../src/config/environment.ts'
import { joinEvents } from '../../src/audit/join/match.ts'
import { auditReport } from '../../src/audit/report.ts'
import { query } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { command } from '../support/cli/command.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../support/mcp/counting-server.ts'
import { startFollower } from '../support/log/follower.ts'
import { buildTestApp, type TestApp, type TestAppOptions } from '../support/app/test-app.ts'
import { createThief } from '../support/log/thief.ts'
import { startReceiver, takeSigned } from '../support/delivery/receiver.ts'
import { countingJob } from '../support/app/jobs.ts'
import { until } from '../support/until.ts'

const COUNTING = 'https://counting.localhost.pomerium.io'
const EVERYTHING = 'https://everything.localhost.pomerium.io'
const ROUTES = '/.pomerium/mcp/routes'

const job = (model: string, more = '') =>
  countingJob({ model, prompt: 'Do it. This is {{ run_id }}.', retry: '{ attempts: 3, backoff: 10ms }', more })
const HOSTED = 'delegate: hosted'

const strictRoute = (server: CountingServer) =>
  countingRoute(server, {
    name: 'strict',
    from: 'https://strict.localhost.pomerium.io',
    policy: { allowUsers: ['svc-reports'], denyTool: 'act' },
  })
const strict = (model: string, extra = '') => job(model, extra).replace('counting:', 'strict:')

async function auditHouse(server: CountingServer, options: Partial<TestAppOptions>): Promise<TestApp> {
  return buildTestApp({
    routes: [countingRoute(server), strictRoute(server)],
    jobs: {},
    ...options,
    config: {
      audit: { gracePeriod: '1ms', expected: [{ account: 'reports', host: 'everything.localhost.pomerium.io:443', path: ROUTES }] },
      ...options.config,
    },
  })
}

const reportSchema = z.looseObject({
  events: z.number(),
  matched: z.number(),
  expected: z.number(),
  unexplained: z.number(),
  missing: z.number(),
  recent: z.number(),
  unexplainedEvents: z.array(
    z.looseObject({ account: z.string(), requestId: z.string(), mcpTool: z.string().nullable(), host: z.string() }),
  ),
  suspects: z.array(
    z.looseObject({ account: z.string(), acknowledgedAt: z.string().nullable(), events: z.number(), reason: z.string().nullable() }),
  ),
})

async function report(testApp: TestApp) {
  const { code, out } = await command(['-c', testApp.world.configFile, 'audit', 'report', '--json'])
  return { code, report: reportSchema.parse(JSON.parse(out)) }
}

/** Reads the whole log, again until no line of it is too young to be explained: its times are whole seconds, and half of one is what the clocks are measured to. */
async function imported(testApp: TestApp): Promise<void> {
  await testApp.world.gateway.flushLog()
  await until(async () => {
    expect(await command(['-c', testApp.world.configFile, 'audit', 'import', testApp.world.logFile])).toMatchObject({ code: 0 })
    return (await report(testApp)).report.recent === 0
  })
}

/** More of them: NIGHTSHIFT_TEST_LIVE_RUNS=500 npx vitest run test/audit/live.test.ts */
const RUNS = Number(environment['NIGHTSHIFT_TEST_LIVE_RUNS'] ?? 60)
const LOCAL = ['plain', 'faulty', 'denied', 'cutting']
const HOSTED_JOBS = ['h-plain', 'h-denied', 'h-cutting']

test(
  `of ${RUNS} runs, local and hosted, with denials, retries, cut answers and a worker that was stopped, every line is matched`,
  { timeout: 4000 * RUNS },
  async () => {
    await using server = await startCountingServer()
    await using testApp = await auditHouse(server, {
      jobs: {
        plain: job('plain'),
        faulty: job('faulty'),
        denied: strict('denied'),
        cutting: job('cutting'),
        'h-plain': job('plain', HOSTED),
        'h-denied': strict('denied', HOSTED),
        'h-cutting': job('cutting', HOSTED),
      },
      scripts: {
        plain: 'call counting__act {"n": 1} & counting__look {"n": 2}\ncall counting__look {"n": 2}\nsay $1',
        faulty: 'call counting__act {"n": 1}\nfail 500\nfail 500\nfail 500\ncall counting__look {"n": 3}\ncut\nsay $1',
        denied: 'call strict__act {"n": 1}\ncall strict__look {"n": 2}\nsay $2',
        cutting: 'call counting__look {"n": 4}\ncall counting__look {"n": 4}\ncut\nsay $1',
      },
      // A hosted answer goes on without its worker, and the next one learns of its calls.
      background: true,
      config: { worker: { drainTimeout: '10ms', concurrency: 6 } },
    })
    let looks = 0
    const held = Promise.withResolvers<string>()
    server.answer = (call, _, res) => {
      if (call.name !== 'look') return 'acted'
      looks++
      // The first is held until its worker is stopped; each fifth is lost on its way back.
      if (looks === 1) return held.promise
      if (looks % 5 !== 0) return 'looked'
      res.destroy()
      return undefined
    }
    const queued = (names: readonly string[]) =>
      Promise.all(Array.from({ length: RUNS / 2 }, (_, i) => testApp.queue(names[i % names.length] ?? '')))
    const ids = await queued([...LOCAL, ...HOSTED_JOBS])
    await testApp.app.worker.start()
    while ((await server.nextCall()).name !== 'look');
    await testApp.app.worker.stop()
    const other = await testApp.replica()
    await other.worker.start()
    held.resolve('too late')
    ids.push(...(await queued(HOSTED_JOBS)))
    const runs = await Promise.all(ids.map((id) => testApp.finished(id)))
    await other.worker.stop()
    expect(runs.filter(({ attempts }) => attempts.length > 1).length).toBeGreaterThan(3)
    expect(runs.flatMap(({ toolCalls }) => toolCalls.filter(({ status }) => status === 'denied')).length).toBeGreaterThan(10)
    await imported(testApp)
    const { code, report: found } = await report(testApp)
    expect(found).toMatchObject({ unexplained: 0, unexplainedEvents: [], missing: 0, recent: 0, suspects: [] })
    expect(found.matched).toBe(found.events)
    expect(code).toBe(0)
    const [requests] = await query<{ n: number }>(testApp.app.db, 'select count(*)::int as n from gateway_requests')
    expect(found.events).toBeGreaterThan(requests?.n ?? 0)
    const views = await Promise.all(ids.map((id) => loadRun(testApp.app.db, id)))
    for (const view of views) {
      for (const call of view?.toolCalls ?? [])
        if (call.status === 'denied') expect(call.decision).toMatchObject({ allowed: false, reasons: ['mcp-tool-match'] })
      for (const request of view?.gatewayRequests ?? []) if (request.status !== null) expect(request.decision).not.toBeNull()
    }
  },
)

test(
  'a stolen token is found: log line, signed webhook, suspect, exit code 3; and again after it was acknowledged',
  { timeout: 120_000 },
  async () => {
    const secret = `whsec_${Buffer.from('a secret of thirty-two bytes, ok').toString('base64')}`
    await using receiver = await startReceiver(takeSigned(secret))
    await using server = await startCountingServer()
    await using testApp = await auditHouse(server, {
      jobs: { plain: job('plain'), hosted: job('plain', HOSTED) },
      scripts: { plain: 'call counting__act {"n": 1}\nsay $1' },
      config: { webhooks: { ops: { url: receiver.url, secret } }, alerts: { webhook: 'ops' } },
    })
    const lines: string[] = []
    const log = new Writable({ write: (chunk, _, done) => (lines.push(String(chunk)), done()) })
    await using audit = await openAudit(testApp.app.config, pino({ level: 'error' }, log))
    await using follower = startFollower(testApp.app.db, testApp.world.logFile, async () => {
      const { asOf } = await joinEvents(audit)
      await raiseAlarms(audit, asOf)
    })
    const account = { account: 'reports', accountId: testApp.world.account.id }
    const alarms = () => receiver.received.filter(({ status }) => status === 204).length

    const local = await testApp.run('plain')
    const hosted = await testApp.run('hosted')
    await using thief = createThief(testApp)
    await thief.get(`${EVERYTHING}${ROUTES}`)
    const [all] = await query<{ n: number }>(testApp.app.db, 'select count(*)::int as n from gateway_requests')
    await follower.until(async () => {
      const { events, matched, expected } = await auditReport(testApp.app.db, audit.ours(), { graceMs: 0 })
      return events > (all?.n ?? 0) && expected === 1 && matched + expected === events
    })
    expect(await report(testApp)).toMatchObject({ code: 0, report: { unexplained: 0, expected: 1, suspects: [] } })
    expect(alarms()).toBe(0)

    const stolen = await thief.call(`${COUNTING}/mcp`, 'act', { n: 666 })
    await follower.until(() => alarms() === 1)
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
      type: 'nightshift.audit.unexplained',
      subject: 'reports',
      data: { ...account, events: [{ requestId: stolen, mcpTool: 'act', host: 'counting.localhost.pomerium.io', ip: '127.0.0.1' }] },
    })
    expect(receiver.received.map(({ status }) => status)).toEqual([204])
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ...account, events: 1, calls: [{ mcpTool: 'act', requestId: stolen }] })
    expect(await report(testApp)).toMatchObject({
      code: 3,
      report: {
        unexplained: 1,
        unexplainedEvents: [{ requestId: stolen, mcpTool: 'act' }],
        suspects: [{ account: 'reports', acknowledgedAt: null, events: 1 }],
      },
    })

    const acknowledge = ['-c', testApp.world.configFile, 'audit', 'acknowledge', 'reports', '--reason', 'it was me']
    expect(await command(acknowledge)).toMatchObject({ code: 0, out: 'reports is no longer suspect.' })
    expect((await report(testApp)).report.suspects).toMatchObject([{ reason: 'it was me' }])
    expect(await command(acknowledge)).toMatchObject({ code: 2 })

    // With what only we should know: ids of requests that were answered, and the run.
    const [ours] = await query<{ sent: string }>(
      testApp.app.db,
      'select request_id_sent as sent from gateway_requests where run_id = $1 and tool_call_id is not null',
      [local.id],
    )
    const replay = { 'x-request-id': ours?.sent ?? '', 'x-nightshift-run-id': local.id }
    expect(await thief.call(`${COUNTING}/mcp`, 'act', { n: 1 }, replay)).toBe(ours?.sent)
    await follower.until(() => alarms() === 2)
    expect((await report(testApp)).report).toMatchObject({ unexplained: 2, suspects: [{ acknowledgedAt: null, events: 2, reason: null }] })

    // A hosted run's own call once more, under its id, and one too large for the gateway to look into: nobody can tell them from calls that its provider did not report.
    const again = await thief.call(`${COUNTING}/`, 'act', { n: 1 }, { 'x-nightshift-run-id': hosted.id })
    const large = await thief.call(`${COUNTING}/`, 'act', { n: 1, text: 'x'.repeat(5000) }, { 'x-nightshift-run-id': hosted.id })
    await follower.until(async () => (await loadRun(testApp.app.db, hosted.id))?.unreported.length === 2)
    expect(await loadRun(testApp.app.db, hosted.id)).toMatchObject({
      status: 'incomplete',
      reasons: [{ code: 'CALL_UNREPORTED' }],
      endedAs: { status: 'succeeded' },
      unreported: [{ requestId: again }, { requestId: large }],
    })
    expect((await report(testApp)).report).toMatchObject({
      unexplained: 2,
      suspects: [{ events: 2 }],
      unreported: 2,
      unreportedRuns: [{ runId: hosted.id, calls: 2 }],
    })
    // No alarm about the account, but the word that a run which ended green is not any more.
    await follower.until(() => alarms() === 3)
    expect(JSON.parse(receiver.received[2]?.body ?? '')).toMatchObject({
      type: 'nightshift.audit.unreported',
      subject: hosted.id,
      data: { run: hosted.id, job: 'hosted' },
    })
    const shown = await command(['-c', testApp.world.configFile, 'show', hosted.id])
    expect(shown.out).toMatch(/ended as +succeeded/)
    expect(shown.out).toMatch(new RegExp(`unreported .*act .*request ${again}`))
    const told = await command(['-c', testApp.world.configFile, 'audit', 'report'])
    expect(told.out).toContain(`${hosted.id} of hosted, incomplete: 2 calls, 2 lines`)
    // At a path that its provider was not sent to.
    await thief.call(`${COUNTING}/mcp`, 'act', { n: 1 }, { 'x-nightshift-run-id': hosted.id })
    await follower.until(() => alarms() === 4)
    const view = await loadRun(testApp.app.db, local.id)
    expect(view?.toolCalls).toMatchObject([
      // A line that was read before the answer had come is known by the id that was sent.
      { requestId: ours?.sent, decision: { allowed: true, matchedBy: expect.stringMatching(/^(request|sent)-id$/) } },
    ])
  },
)

test('show and its JSON say beside each call what policy decided and why, also for calls that the provider made', async () => {
  await using server = await startCountingServer()
  await using testApp = await auditHouse(server, {
    jobs: { local: strict('denied'), hosted: strict('denied', HOSTED) },
    scripts: { denied: 'call strict__act {"n": 1}\ncall strict__look {"n": 2}\nsay $2' },
  })
  const [local, hosted] = [await testApp.run('local'), await testApp.run('hosted')]
  expect(local.toolCalls.map(({ decision }) => decision)).toEqual([null, null])
  await imported(testApp)
  for (const [{ id }, matchedBy] of [
    [local, 'request-id'],
    [hosted, 'run-header'],
  ] as const) {
    const words = await command(['-c', testApp.world.configFile, 'show', id])
    expect(words.out).toMatch(/act .*denied.* [0-9a-f-]{36} .*denied: mcp-tool-match/)
    expect(words.out).toMatch(/look .*ok.* [0-9a-f-]{36} .*allowed: user-ok/)
    const { out } = await command(['-c', testApp.world.configFile, 'show', id, '--json'])
    expect(JSON.parse(out)).toMatchObject({
      toolCalls: [
        {
          tool: 'act',
          requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          decision: { allowed: false, reasons: ['mcp-tool-match'], matchedBy },
        },
        { tool: 'look', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/), decision: { allowed: true, reasons: ['user-ok'], matchedBy } },
      ],
    })
  }
})
