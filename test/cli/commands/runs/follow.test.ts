import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { listRuns } from '../../../../src/store/runs/list.ts'
import { cancelRun } from '../../../../src/runs/cancel.ts'
import { countingRoute, startCountingServer } from '../../../support/mcp/counting-server.ts'
import { command, program } from '../../../support/cli/command.ts'
import { buildTestApp, type TestApp } from '../../../support/app/test-app.ts'
import { serveHttp } from '../../../support/net/listen.ts'
import { countingJob } from '../../../support/app/jobs.ts'

const job = (more = '') => countingJob({ retry: '{ attempts: 1, backoff: 1ms }', more })

/** A server behind the gateway that lets nobody in before a person has given consent. */
async function startClosedServer() {
  const http = await serveHttp((_, res) => res.writeHead(401).end())
  return {
    to: http.url,
    upstreamOAuth: { authorizationUrl: 'https://consent.example.com/authorize' },
    [Symbol.asyncDispose]: http.close,
  }
}

/** A worker in a process of its own, at work. */
async function startWorker(testApp: TestApp) {
  const worker = program(['-c', testApp.world.configFile, 'start', '--only', 'worker'])
  await worker.says('Nightshift is at work.')
  return {
    async [Symbol.asyncDispose]() {
      worker.child.kill('SIGTERM')
      expect(await worker.ended).toMatchObject({ code: 0 })
    },
  }
}

describe('run --follow, with a worker in another process, ends with the run’s outcome', () => {
  const outcomes: [string, number, { script: string; extra?: string; closed?: boolean }][] = [
    ['succeeded', 0, { script: 'call counting__act {"n": 1}\nsay $1' }],
    ['failed', 1, { script: 'always fail 401 invalid_api_key' }],
    ['incomplete', 4, { script: 'call counting__act {"n": 1}\nsay {"title": []}\nsay {"title": []}\nsay {"title": []}', extra: 'output: { schema: { type: object, required: [title], properties: { title: { type: string } } } }' }], // prettier-ignore
    ['waiting', 5, { script: 'say done', closed: true }],
  ]
  test.each(outcomes)('%s: %i', async (status, exit, { script, extra, closed }) => {
    await using server = await startCountingServer()
    await using behindConsent = await startClosedServer()
    const { to, upstreamOAuth } = behindConsent
    await using testApp = await buildTestApp({
      routes: [countingRoute(server, closed ? { to, upstreamOAuth } : {})],
      jobs: { work: job(extra) },
      scripts: { scripted: script },
    })
    await using _ = await startWorker(testApp)
    const { code, out } = await program(['-c', testApp.world.configFile, 'run', 'work', '--follow']).ended
    expect(out).toMatch(new RegExp(`run +run_\\S+ ${status}\\n`))
    expect(code).toBe(exit)
    expect(out).not.toContain('\u001b')
    const json = await command(['-c', testApp.world.configFile, 'run', 'work', '--follow', '--json'])
    expect(json.code).toBe(exit)
    expect(JSON.parse(json.out)).toMatchObject({ status })
  })

  test('cancelled: 6', async () => {
    await using server = await startCountingServer(() => new Promise(() => {}))
    await using testApp = await buildTestApp({
      routes: [countingRoute(server)],
      jobs: { work: job() },
      scripts: { scripted: 'call counting__look {}\nsay done' },
    })
    await using _ = await startWorker(testApp)
    const follow = program(['-c', testApp.world.configFile, 'run', 'work', '--follow'])
    await server.nextCall()
    const [run] = await listRuns(testApp.app.db, {}, { limit: 1 })
    await cancelRun(testApp.app.db, run?.id ?? '')
    expect(await follow.ended).toMatchObject({ code: 6, out: expect.stringContaining('cancelled') })
  })
})

test('Ctrl-C ends run --follow as the shell expects, says that the run goes on, and the run does', async () => {
  await using testApp = await buildTestApp({ jobs: { work: job() }, scripts: {}, routes: [] })
  const ending = new AbortController()
  const { code, out, err } = await command(['-c', testApp.world.configFile, 'run', 'work', '--follow'], {
    signal: ending.signal,
    onOut: () => ending.abort('SIGINT'),
  })
  const [run] = await listRuns(testApp.app.db, {}, { limit: 1 })
  expect({ code, out }).toEqual({ code: 130, out: `queued     ${run?.id}` })
  expect(err).toContain(`nightshift show ${run?.id}`)
  expect(run).toMatchObject({ status: 'queued' })
})

test('start ends with 0 on SIGTERM, and its log is JSON lines', async () => {
  await using testApp = await buildTestApp({ jobs: { work: job() }, scripts: {}, routes: [] })
  const start = program(['-c', testApp.world.configFile, 'start'])
  await start.says('Nightshift is at work.')
  start.child.kill('SIGTERM')
  await once(start.child, 'exit')
  const { code, out, err } = await start.ended
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.trim().split('\n').map((line): unknown => JSON.parse(line)).at(-1)).toMatchObject({ msg: 'Stopped.' }) // prettier-ignore
})
