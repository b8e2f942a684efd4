import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cancelRun } from '../../../../src/runs/cancel.ts'
import { listRuns } from '../../../../src/store/runs/list.ts'
import { countingJob } from '../../../support/app/jobs.ts'
import { buildTestApp, type TestApp } from '../../../support/app/test-app.ts'
import { command, program } from '../../../support/cli/command.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../../../support/mcp/counting-server.ts'
import { serveHttp } from '../../../support/net/listen.ts'
import { someone } from '../../../support/actor.ts'

const ONE_TRY = 'retry: { attempts: 1, backoff: 1ms }'

const TITLE = 'output: { schema: { type: object, required: [title], properties: { title: { type: string } } } }'

/** What a run of each job comes to: the exit code of who follows it, what the model says, and what the job has of its own. */
const OUTCOMES: Record<string, { exit: number; script: string; tools?: string; more?: string }> = {
  succeeded: { exit: 0, script: 'call counting__act {"n": 1}\nsay $1' },
  failed: { exit: 1, script: 'always fail 401 invalid_api_key' },
  incomplete: { exit: 4, script: `call counting__act {"n": 1}${'\nsay {"title": []}'.repeat(3)}`, more: TITLE },
  waiting: { exit: 5, script: 'say done', tools: 'closed: { allow: [act] }' },
  cancelled: { exit: 6, script: 'call counting__look {}\nsay done' },
}

const exits = Object.entries(OUTCOMES).map(([status, { exit }]) => [status, exit] as const)

describe('run --follow, with a worker in another process, ends with the run’s outcome', () => {
  const stack = new AsyncDisposableStack()
  let testApp: TestApp
  let server: CountingServer

  beforeAll(async () => {
    server = stack.use(await startCountingServer(({ name }) => (name === 'look' ? new Promise(() => {}) : 'done')))
    // Behind the gateway, and lets nobody in before a person has given consent.
    const closed = await serveHttp((_, res) => res.writeHead(401).end())
    stack.defer(closed.close)
    const consent = { to: closed.url, upstreamOAuth: { authorizationUrl: 'https://consent.example.com/authorize' } }
    testApp = stack.use(
      await buildTestApp({
        routes: [
          countingRoute(server),
          countingRoute(server, { name: 'closed', from: 'https://closed.localhost.pomerium.io', ...consent }),
        ],
        jobs: {
          ...Object.fromEntries(
            Object.entries(OUTCOMES).map(([model, { more = '', tools }]) => [
              model,
              countingJob({ model, more: `${ONE_TRY}\n${more}`, ...(tools !== undefined && { tools }) }),
            ]),
          ),
          later: countingJob({ model: 'later', more: 'retry: { attempts: 2, backoff: 10h }' }),
        },
        scripts: {
          ...Object.fromEntries(Object.entries(OUTCOMES).map(([model, { script }]) => [model, script])),
          later: 'always fail 503 overloaded',
        },
      }),
    )
    const worker = program(['-c', testApp.world.configFile, 'start', '--only', 'worker'])
    stack.defer(async () => {
      worker.child.kill('SIGTERM')
      expect(await worker.ended).toMatchObject({ code: 0 })
    })
    await worker.says('Nightshift is at work.')
  })
  afterAll(() => stack.disposeAsync())

  test('an attempt that comes later: when, and how long that is', async () => {
    const ending = new AbortController()
    const { code, out } = await command(['-c', testApp.world.configFile, 'run', 'later', '--follow'], {
      signal: ending.signal,
      onOut: (line) => line.startsWith('again') && ending.abort('SIGINT'),
    })
    expect({ code, out }).toEqual({ code: 130, out: expect.stringMatching(/^again +at [\d-]+ [\d:]+ UTC, in [1-9]\d* (?:s|min|h)$/m) })
  })

  test.each(exits)('%s: %i', async (status, exit) => {
    const follow = program(['-c', testApp.world.configFile, 'run', status, '--follow'])
    if (status === 'cancelled') {
      await server.nextCall()
      const [run] = await listRuns(testApp.app.db, { status: ['running'] }, { limit: 1 })
      await cancelRun(testApp.app.db, run?.id ?? '', someone())
    }
    const { code, out } = await follow.ended
    expect(out).toMatch(new RegExp(`run +run_\\S+ ${status}\\n`))
    expect(code).toBe(exit)
    expect(out).not.toContain('\u001b')
  })

  test.each(exits.filter(([status]) => status !== 'cancelled'))('%s with --json: %i', async (status, exit) => {
    const json = await command(['-c', testApp.world.configFile, 'run', status, '--follow', '--json'])
    expect(json.code).toBe(exit)
    expect(JSON.parse(json.out)).toMatchObject({ status })
  })
})

test('Ctrl-C ends run --follow as the shell expects, says that the run goes on, and the run does', async () => {
  await using testApp = await buildTestApp({ jobs: { work: countingJob() }, scripts: {}, routes: [] })
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
  await using testApp = await buildTestApp({ jobs: { work: countingJob() }, scripts: {}, routes: [] })
  const start = program(['-c', testApp.world.configFile, 'start'])
  await start.says('Nightshift is at work.')
  start.child.kill('SIGTERM')
  await once(start.child, 'exit')
  const { code, out, err } = await start.ended
  expect({ code, err }).toEqual({ code: 0, err: '' })
  const lines = out.trim().split('\n')
  expect(lines.map((line): unknown => JSON.parse(line)).at(-1)).toMatchObject({ msg: 'Stopped.' })
})
