import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { DemoRoute } from '../../../../src/demo/gateway/exchange.ts'
import { command } from '../../../support/cli/command.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../../../support/mcp/counting-server.ts'
import { dumpDatabase } from '../../../support/database/dump.ts'
import { buildTestApp, type TestApp } from '../../../support/app/test-app.ts'
import { openScreen } from '../../../support/cli/screen.ts'
import { countingJob } from '../../../support/app/jobs.ts'

const JOB = countingJob({ tools: 'counting: { allow: [act], repeatable: [act] }' })
const AUTHORIZE = 'https://login.example.com/authorize'
const CLIENT: DemoRoute = {
  name: 'nightshift',
  from: 'https://nightshift.localhost.pomerium.io',
  to: 'http://127.0.0.1:1',
  kind: 'mcp-client',
  policy: { allowUsers: ['svc-reports'] },
}
const API = { pomerium: { audience: 'nightshift.localhost.pomerium.io', users: {} } }

/** A Nightshift whose server wants a person's consent before it answers. */
function openHouse(server: CountingServer, config: Record<string, unknown> = {}): Promise<TestApp> {
  server.answer = (_, req, res) => {
    if (req.headers.authorization !== undefined) return 'done'
    res.writeHead(401).end()
    return undefined
  }
  return buildTestApp({
    jobs: { act: JOB },
    routes: [countingRoute(server, { upstreamOAuth: { authorizationUrl: AUTHORIZE } }), CLIENT],
    scripts: { scripted: 'call counting__act {"n": 1}\nsay done' },
    config: { api: API, ...config },
  })
}

const CONNECT = ['connect', 'counting', '--account', 'reports']

describe('connect', () => {
  test('gives the link on stdout alone, waits until somebody agreed, and lets the waiting runs go on', async () => {
    await using server = await startCountingServer()
    await using testApp = await openHouse(server)
    const at = ['-c', testApp.world.configFile]
    const run = await testApp.run('act')
    expect(run).toMatchObject({ status: 'waiting', failure: { code: 'CONNECTION_REQUIRED', server: 'counting' } })

    const screen = openScreen([...at, ...CONNECT])
    await screen.says('Whoever opens this link')
    const link = screen.out()
    expect(new URL(link).origin + new URL(link).pathname).toBe(AUTHORIZE)
    testApp.world.gateway.connect('svc-reports', 'counting')
    expect(await screen.ended).toBe(0)
    expect(screen.out()).toBe(`${link}\ncounting is connected for reports. 1 waiting run goes on.`)
    expect(screen.err()).not.toContain('http')
    expect(await testApp.finished(run.id)).toMatchObject({ status: 'succeeded' })

    const state = new URL(link).searchParams.get('state') ?? ''
    expect(state.length).toBeGreaterThan(20)
    await testApp.world.gateway.flushLog()
    const kept = [await dumpDatabase(testApp.database.db), testApp.log.join(''), readFileSync(testApp.world.logFile, 'utf8')].join('\n')
    expect(kept).not.toContain(state)
    expect(kept).not.toContain(AUTHORIZE)
  })

  test('a server that is connected already gives no link, and its waiting runs go on', async () => {
    await using server = await startCountingServer()
    await using testApp = await openHouse(server)
    const run = await testApp.run('act')
    expect(run.status).toBe('waiting')
    testApp.world.gateway.connect('svc-reports', 'counting')
    expect(await command(['-c', testApp.world.configFile, ...CONNECT])).toEqual({
      code: 0,
      out: 'counting is connected for reports. 1 waiting run goes on.',
      err: '',
    })
    expect(await testApp.finished(run.id)).toMatchObject({ status: 'succeeded' })
  })

  test('says that nobody agreed when its time is over, with the exit code of what waits', async () => {
    await using server = await startCountingServer()
    await using testApp = await openHouse(server)
    const { code, out, err } = await command(['-c', testApp.world.configFile, ...CONNECT, '--timeout', '1ms'])
    expect({ code, lines: out.split('\n').length }).toEqual({ code: 5, lines: 1 })
    expect(err).toContain('Nobody agreed yet. The runs that wait go on by themselves once somebody does.')
  })

  test('ends at Ctrl-C', async () => {
    await using server = await startCountingServer()
    await using testApp = await openHouse(server)
    const screen = openScreen(['-c', testApp.world.configFile, ...CONNECT])
    await screen.says('Whoever opens this link')
    screen.interrupt()
    expect(await screen.ended).not.toBe(0)
  })

  test.for([
    [
      'a return address that is on no client route',
      [...CONNECT, '--redirect', 'https://labor.localhost.pomerium.io/'],
      /does not take https:\/\/labor\.\S+ as return address\. .*mcp: \{ client: \{\} \}.*--redirect/,
    ],
    ['a return address that is none', [...CONNECT, '--redirect', 'nonsense'], /does not take nonsense as return address/],
    [
      'a server that there is not',
      ['connect', 'nowhere', '--account', 'reports'],
      /^ROUTE_UNKNOWN Pomerium lists no MCP route nowhere; it lists counting, everything, labor\./,
    ],
    [
      'an account that there is not',
      ['connect', 'counting', '--account', 'nobody'],
      /^COMMAND_INVALID There is no account nobody in the configuration\. There are reports\./,
    ],
    ['a time-out that is none', [...CONNECT, '--timeout', 'soon'], /30s or 10m/],
    ['no account', ['connect', 'counting'], /--account/],
    ['disconnect of a server that there is not', ['disconnect', 'nowhere', '--account', 'reports'], /^ROUTE_UNKNOWN /],
    ['disconnect for an account that there is not', ['disconnect', 'counting', '--account', 'nobody'], /^COMMAND_INVALID /],
  ] as const)('refuses %s, without a link', async ([, args, message]) => {
    await using server = await startCountingServer()
    await using testApp = await openHouse(server)
    const { code, out, err } = await command(['-c', testApp.world.configFile, ...args])
    expect(out).toBe('')
    expect(err).toMatch(message)
    expect(code).not.toBe(0)
  })

  test('without a return address in the configuration it asks for one', async () => {
    await using server = await startCountingServer()
    await using testApp = await openHouse(server, { api: undefined })
    expect(await command(['-c', testApp.world.configFile, ...CONNECT])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^COMMAND_INVALID There is no return address\. Name one with --redirect/),
    })
  })

  test('with a token that Pomerium does not accept it says so', async () => {
    await using server = await startCountingServer()
    await using testApp = await openHouse(server)
    testApp.world.gateway.accounts.delete(testApp.world.account.id)
    expect(await command(['-c', testApp.world.configFile, ...CONNECT])).toMatchObject({
      out: '',
      err: expect.stringMatching(/^TOKEN_REJECTED /),
    })
  })
})

test('disconnect takes it back: the next run waits for a person again', async () => {
  await using server = await startCountingServer()
  await using testApp = await openHouse(server)
  const at = ['-c', testApp.world.configFile]
  testApp.world.gateway.connect('svc-reports', 'counting')
  expect(await testApp.run('act')).toMatchObject({ status: 'succeeded' })
  expect(await command([...at, 'disconnect', 'counting', '--account', 'reports'])).toEqual({
    code: 0,
    out: 'counting is disconnected for reports.',
    err: '',
  })
  expect(await testApp.run('act')).toMatchObject({ status: 'waiting' })
  const waiting = await command([...at, 'runs', '--waiting', '--json'])
  expect(JSON.parse(waiting.out)).toEqual([{ account: 'reports', server: 'counting', runs: 1 }])
})
