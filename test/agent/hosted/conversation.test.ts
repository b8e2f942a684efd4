import { expect, test } from 'vitest'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'
import { askedOf, authorizeLines, hostedApp, hostedJob } from '../../support/app/hosted.ts'

test('a provider calls the servers itself, and each of its calls has a row', async () => {
  await using one = await hostedApp('call counting__act {"n": 1}\ncall counting__look {}\nsay $1 and $2')
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'succeeded', reasons: [], outputText: 'done and done' })
  expect(run.toolCalls).toMatchObject([
    { server: 'counting', tool: 'act', arguments: { n: 1 }, status: 'ok', result: { text: 'done' }, requestId: null, repeatable: false },
    { server: 'counting', tool: 'look', status: 'ok', repeatable: true },
  ])
  expect(one.server.effects).toHaveLength(1)
})

test('each call has its times from the stream', async () => {
  await using one = await hostedApp('call counting__act {}\nsay $1')
  const { toolCalls, turns } = await one.testApp.run('act')
  const [call] = toolCalls
  const [turn] = turns
  expect(call?.durationMs).toBeGreaterThan(0)
  const at = (time: string | null | undefined) => Date.parse(time ?? '')
  expect(at(call?.startedAt)).toBeGreaterThanOrEqual(at(turn?.startedAt))
  expect(at(call?.finishedAt)).toBeGreaterThanOrEqual(at(call?.startedAt))
})

test('hands over address, token, run id and tools, and asks for no approval', async () => {
  await using one = await hostedApp('call counting__act {}\nsay $1')
  const { id } = await one.testApp.run('act')
  expect(askedOf(one)).toMatchObject([
    {
      stream: true,
      tools: [
        {
          type: 'mcp',
          server_label: 'counting',
          server_url: 'https://counting.localhost.pomerium.io',
          headers: { authorization: `Bearer Pomerium-${one.testApp.world.account.jwt}`, 'x-nightshift-run-id': id },
          allowed_tools: ['act', 'look'],
          require_approval: 'never',
        },
      ],
    },
  ])
})

test('hands over the token as a field where the provider wants it so, and its requests reach the gateway all the same', async () => {
  await using one = await hostedApp('call counting__act {}\nsay $1', {
    provider: { mcpToken: 'authorization' },
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'succeeded', failure: null })
  const { id } = run
  const [asked] = askedOf(one)
  expect(asked?.tools).toMatchObject([
    { authorization: `Pomerium-${one.testApp.world.account.jwt}`, headers: { 'x-nightshift-run-id': id }, allowed_tools: ['act', 'look'] },
  ])
  expect(Object.keys(asked?.tools?.[0]?.headers ?? {})).toEqual(['x-nightshift-run-id'])
  const calls = (await authorizeLines(one)).filter((line) => line['mcp-method'] === 'tools/call')
  expect(calls).toMatchObject([{ headers: { 'X-Nightshift-Run-Id': id }, 'service-account-id': one.testApp.world.account.id }])
})

test('a tool that two servers turn out to have is refused before the provider is asked', async () => {
  await using other = await startCountingServer()
  await using one = await hostedApp('say unused', {
    routes: [countingRoute(other, { name: 'second', from: 'https://second.localhost.pomerium.io' })],
    job: hostedJob('', 'counting: { allow: ["*"] }\n  second: { allow: ["lo*"] }'),
  })
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({
    status: 'failed',
    failure: {
      code: 'JOB_INVALID',
      message: 'The tool look is one of counting and of second: a hosted provider may reach one of them alone.',
      cure: 'In tools.counting.allow and tools.second.allow of the job, allow it on one of them, or write delegate: local.',
    },
  })
  expect(run.attempts).toHaveLength(1)
  expect(askedOf(one)).toEqual([])
})

test('each request of the provider reaches the gateway as the account and with the run id', async () => {
  await using one = await hostedApp('call counting__act {}\ncall counting__look {}\nsay $1')
  const { id } = await one.testApp.run('act')
  const lines = (await authorizeLines(one)).filter(({ headers }) => headers['X-Nightshift-Run-Id'] === id)
  const calls = lines.filter((line) => line['mcp-method'] === 'tools/call')
  expect(calls).toMatchObject([{ 'mcp-tool': 'act' }, { 'mcp-tool': 'look' }])
  expect(new Set(lines.map((line) => line['service-account-id']))).toEqual(new Set([one.testApp.world.account.id]))
  // Ours in the preflight, and the provider's own session.
  expect(lines.filter((line) => line['mcp-method'] === 'initialize')).toHaveLength(2)
  expect((await authorizeLines(one)).length).toBe(lines.length)
})

test('a route with a path is handed over with it', async () => {
  await using server = await startCountingServer()
  const from = 'https://other-one.localhost.pomerium.io'
  await using one = await hostedApp('call other-one__look {}\nsay $1', {
    job: hostedJob('', 'other-one: { allow: [look] }'),
    routes: [countingRoute(server, { name: 'other-one', from, path: '/mcp/v1' })],
  })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', toolCalls: [{ server: 'other-one', tool: 'look' }] })
  expect(askedOf(one)[0]?.tools?.[0]).toMatchObject({ server_url: `${from}/mcp/v1`, server_label: /^other_one_[0-9a-f]{8}$/ })
})

test('only tools that are allowed and exist are offered, and a server without any is left out', async () => {
  await using other = await startCountingServer()
  await using one = await hostedApp('call counting__look {}\nsay $1', {
    job: hostedJob(
      '',
      `counting: { allow: [look, gone], required: false }
  other: { allow: [away], required: false }
  absent: { allow: [act], required: false }`,
    ),
    routes: [countingRoute(other, { name: 'other', from: 'https://other.localhost.pomerium.io' })],
  })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded' })
  expect(askedOf(one)[0]?.tools).toMatchObject([{ server_label: 'counting', allowed_tools: ['look'] }])
})

test('a provider that calls a tool nobody allowed is stopped by the list', async () => {
  await using one = await hostedApp('call counting__act {}\nsay $1', { job: hostedJob('', 'counting: { allow: [look] }') })
  const run = await one.testApp.run('act')
  expect(run.toolCalls).toMatchObject([{ tool: 'act', status: 'error' }])
  expect(one.server.effects).toHaveLength(0)
})

const notReady: [why: string, expected: string, break_: (one: Awaited<ReturnType<typeof hostedApp>>) => void, job?: string][] = [
  ['a tool is missing', 'TOOL_MISSING', () => {}, hostedJob('', 'counting: { allow: [gone] }')],
  ['a route is missing', 'ROUTE_UNKNOWN', () => {}, hostedJob('', 'absent: { allow: [look] }')],
  ['the server is away', 'UPSTREAM_UNAVAILABLE', (one) => void one.server.close()],
  ['the token is bad', 'TOKEN_REJECTED', ({ testApp: { world } }) => world.gateway.accounts.delete(world.account.id)],
]

test.each(notReady)('costs no token when %s', async (_, code, breakIt, job = hostedJob()) => {
  await using one = await hostedApp('say hello', { job })
  breakIt(one)
  expect(await one.testApp.run('act')).toMatchObject({ status: 'failed', failure: { code } })
  expect(one.testApp.world.model.requests).toHaveLength(0)
})

test('an answer that does not match its schema is mended in a turn without servers', async () => {
  const schema = 'output: { schema: { type: object, required: [ok], properties: { ok: { type: boolean } } } }'
  await using one = await hostedApp('call counting__act {}\nsay no\nsay {"ok": true}', { job: hostedJob(schema) })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', output: { ok: true }, turns: [{ number: 1 }, { number: 2 }] })
  const [first, second] = askedOf(one)
  expect(first?.tools).toHaveLength(1)
  expect(second?.tools).toBeUndefined()
  expect(one.server.effects).toHaveLength(1)
})

test('tokens and money of the answer are counted', async () => {
  await using one = await hostedApp('call counting__act {}\nsay $1', {
    config: { prices: { scripted: { input: 1, cachedInput: 0.1, output: 2 } } },
  })
  const { usage, cost } = await one.testApp.run('act')
  expect(usage.inputTokens).toBeGreaterThan(0)
  expect(usage.outputTokens).toBeGreaterThan(0)
  expect(cost.usd).toBeCloseTo((usage.inputTokens + 2 * usage.outputTokens) / 1e6, 12)
})
