import { expect, test } from 'vitest'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'
import { startFaultProxy, type ProxyFault, type Seen } from '../../support/gateway/fault-proxy.ts'
import { hostedApp, hostedJob, idWritten, responseRows } from '../../support/app/hosted.ts'

const ACT = 'call counting__act {"n": 1}'

const LOST: [what: string, script: string, expected: object][] = [
  ['ends without its last event after a call', `${ACT}\nsilent`, { code: 'OUTCOME_UNKNOWN' }],
  ['ends without its last event before any call', `wait 0\nsilent\n${ACT}\nsay $1`, { code: 'OUTCOME_UNKNOWN' }],
  ['is cut after a call', `${ACT}\ncut`, { code: 'OUTCOME_UNKNOWN' }],
  ['is cut at its start', `cut\n${ACT}\nsay $1`, { code: 'OUTCOME_UNKNOWN' }],
  ['says that it failed after a call', `${ACT}\nfail 500\nsay $1`, { code: 'MODEL_UNAVAILABLE', retry: 'never' }],
  ['is refused with HTTP 500, which does not say that nothing ran', `fail 500\n${ACT}\nsay $1`, { code: 'OUTCOME_UNKNOWN' }],
  ['is refused with HTTP 409', `fail 409\n${ACT}\nsay $1`, { code: 'OUTCOME_UNKNOWN' }],
]

test.each(LOST)('is not asked for again when it %s', async (_, text, failure) => {
  await using one = await hostedApp(text)
  expect(await one.testApp.run('act')).toMatchObject({ status: 'failed', failure, attempts: [{ status: 'failed' }] })
  expect(one.testApp.world.model.requests).toHaveLength(1)
  expect(one.server.effects.length).toBeLessThan(2)
})

const HARMLESS: [what: string, script: string][] = [
  ['fails after a call that is repeatable', 'call counting__look {}\nfail 500\nsay $1'],
  ['is refused with HTTP 429', `fail 429 rate_limit\n${ACT}\nsay $1`],
]

test.each(HARMLESS)('is asked for again when it %s', async (_, text) => {
  await using one = await hostedApp(text)
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded', attempts: [{ status: 'failed' }, { status: 'succeeded' }] })
  expect(one.testApp.world.model.requests).toHaveLength(2)
})

test('a job whose every tool is repeatable asks again for an answer that was lost', async () => {
  await using one = await hostedApp('call counting__look {}\nsilent\nsay $1', {
    job: hostedJob('', 'counting: { allow: [look], repeatable: [look], minCalls: 0 }'),
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'succeeded',
    attempts: [{ failure: { code: 'MODEL_UNAVAILABLE' } }, { status: 'succeeded' }],
  })
})

test('a connection that was refused is tried again later', async () => {
  const proxy = await startFaultProxy()
  await proxy.close()
  await using one = await hostedApp(`${ACT}\nsay $1`, {
    config: { providers: { openai: { baseUrl: `${proxy.url}/v1`, apiKey: 'demo-model-key' } } },
    job: hostedJob().replace('attempts: 3', 'attempts: 2'),
  })
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'failed',
    failure: { code: 'MODEL_UNAVAILABLE', retry: 'later' },
    attempts: [{ status: 'failed' }, { status: 'failed' }],
  })
  await proxy[Symbol.asyncDispose]()
})

test('a server that the provider ignored is a failure, whatever the text says', async () => {
  await using one = await hostedApp('ignore counting\nsay all is well')
  expect(await one.testApp.run('act')).toMatchObject({ status: 'failed', failure: { code: 'MODEL_IGNORED_TOOLS', server: 'counting' } })
})

test('an optional server may be ignored', async () => {
  await using other = await startCountingServer()
  await using one = await hostedApp('ignore other\ncall counting__look {}\nsay $1', {
    job: hostedJob('', 'counting: { allow: [look], minCalls: 0 }\n  other: { allow: [act], required: false }'),
    routes: [countingRoute(other, { name: 'other', from: 'https://other.localhost.pomerium.io' })],
  })
  expect(await one.testApp.run('act')).toMatchObject({ status: 'succeeded' })
})

test('a question for approval is no success', async () => {
  await using one = await hostedApp('approve counting__act\nsay fine')
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'failed', failure: { code: 'APPROVAL_ASKED', retry: 'never' } })
  expect(run.failure?.message).toContain('approval')
})

test('a refusal, a filter and a cut answer are what they are in a local run', async () => {
  await using refused = await hostedApp('refuse no')
  expect(await refused.testApp.run('act')).toMatchObject({ status: 'failed', failure: { code: 'MODEL_REFUSED' } })
  await using filtered = await hostedApp('filter')
  expect(await filtered.testApp.run('act')).toMatchObject({ status: 'failed', failure: { code: 'MODEL_REFUSED' } })
  await using cut = await hostedApp('truncate half of')
  expect(await cut.testApp.run('act')).toMatchObject({
    status: 'incomplete',
    outputText: 'half of',
    reasons: [{ code: 'ANSWER_CUT' }],
  })
})

/** A Nightshift whose server is reached through a proxy; the provider's own requests are the second of their kind. */
async function behindProxy(fault: (seen: Seen) => ProxyFault | undefined, extra: Record<string, unknown> = {}) {
  const server = await startCountingServer()
  const proxy = await startFaultProxy({ target: { origin: server.url } })
  proxy.intercept = fault
  const one = await hostedApp('call counting__act {}\nsay $1', { routes: [] })
  const { routes } = one.testApp.world.gateway
  const index = routes.findIndex(({ name }) => name === 'counting')
  routes[index] = countingRoute(server, { to: proxy.url, ...extra })
  return {
    ...one,
    server,
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const OAUTH = { upstreamOAuth: { authorizationUrl: 'https://login.example.com/authorize' } }
const secondInitialize = (fault: ProxyFault) => (seen: Seen) => (seen.rpcMethod === 'initialize' && seen.before === 1 ? fault : undefined)

test('a list that the provider could not get for lack of consent waits for a person', async () => {
  await using one = await behindProxy(secondInitialize({ kind: 'answer', status: 401 }), OAUTH)
  expect(await one.testApp.run('act')).toMatchObject({ status: 'waiting', failure: { code: 'CONNECTION_REQUIRED', server: 'counting' } })
  expect(one.server.effects).toHaveLength(0)
})

test('a list that the provider could not get for a bad token is the token’s fault', async () => {
  let asked = () => {}
  await using one = await hostedApp('call counting__act {}\nsay $1', {
    validate: (schema) => {
      if (schema === 'CreateResponse') asked()
    },
  })
  const { world } = one.testApp
  asked = () => world.gateway.accounts.delete(world.account.id)
  const run = await one.testApp.run('act')
  expect(run).toMatchObject({ status: 'failed', failure: { code: 'TOKEN_REJECTED' } })
  // Later attempts end in the preflight.
  expect(run.attempts).toHaveLength(3)
  expect(world.model.requests).toHaveLength(1)
})

test.each([403, 404, 500, 503])(
  'a list that the provider could not get with HTTP %i names the server, and is tried again',
  async (status) => {
    await using one = await behindProxy(secondInitialize({ kind: 'answer', status }))
    const run = await one.testApp.run('act')
    expect(run).toMatchObject({
      status: 'succeeded',
      attempts: [{ failure: { code: 'UPSTREAM_UNAVAILABLE', server: 'counting' } }, { status: 'succeeded' }],
    })
    expect(run.attempts[0]?.failure?.message).toContain(`HTTP ${status}`)
    expect(one.server.effects).toHaveLength(1)
  },
)

test('consent that is lost between listing and a call waits for a person', async () => {
  await using one = await behindProxy((seen) => (seen.rpcMethod === 'tools/call' ? { kind: 'answer', status: 401 } : undefined), OAUTH)
  expect(await one.testApp.run('act')).toMatchObject({
    status: 'waiting',
    failure: { code: 'CONNECTION_REQUIRED', server: 'counting' },
    toolCalls: [{ status: 'not_run' }],
  })
})

test('an answer that the provider no longer knows has an unknown outcome, and is not asked for again', async () => {
  await using proxy = await startFaultProxy()
  await using one = await hostedApp(`${ACT}\nsay $1`, {
    config: {
      worker: { drainTimeout: '10ms' },
      providers: { openai: { baseUrl: `${proxy.url}/v1`, apiKey: 'demo-model-key', background: true } },
    },
  })
  proxy.target = { origin: one.testApp.world.model.url }
  one.server.answer = () => new Promise(() => {})
  await one.testApp.app.worker.start()
  const id = await one.testApp.queue('act')
  await one.server.nextCall()
  await idWritten(one)
  await one.testApp.app.worker.stop()
  const body = JSON.stringify({ error: { message: 'Response not found.', type: 'invalid_request_error', code: 'not_found', param: null } })
  proxy.intercept = ({ method }) =>
    method === 'GET' ? { kind: 'answer', status: 404, headers: { 'content-type': 'application/json' }, body } : undefined
  await (await one.testApp.replica()).worker.start()
  expect(await one.testApp.ended(id)).toMatchObject({ status: 'failed', failure: { code: 'OUTCOME_UNKNOWN' } })
  expect(one.testApp.world.model.requests).toHaveLength(1)
  expect(await responseRows(one)).toHaveLength(1)
})
