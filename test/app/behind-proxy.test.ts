import { expect, test } from 'vitest'
import { z } from 'zod'
import { countingJob } from '../support/app/jobs.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { command } from '../support/cli/command.ts'
import { findingSchema } from '../support/cli/doctor.ts'
import { startReceiver } from '../support/delivery/receiver.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { startConnectProxy } from '../support/net/connect-proxy.ts'

const user = { name: 'nightshift', password: 'canary/of the proxy' }
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const SCRIPT = 'call counting__act { "n": 1 }\nsay Done it.'

/** A Nightshift whose gateway, provider and receiver are each behind a proxy of their own. */
async function openBehindProxies() {
  await using building = new AsyncDisposableStack()
  const [gateway, model, webhook] = [
    building.use(await startConnectProxy({ user })),
    building.use(await startConnectProxy({ user })),
    building.use(await startConnectProxy({ user })),
  ]
  const server = building.use(await startCountingServer())
  const receiver = building.use(await startReceiver())
  const testApp = building.use(
    await buildTestApp({
      jobs: { act: countingJob({ tools: 'counting: { allow: [act] }', retry: '{ attempts: 1 }', more: 'deliver: [{ webhook: team }]' }) },
      scripts: { scripted: SCRIPT },
      routes: [countingRoute(server)],
      provider: { proxy: model.url },
      config: {
        gateway: { proxy: gateway.url },
        webhooks: { team: { url: receiver.url, secret: SECRET, proxy: webhook.url } },
      },
    }),
  )
  const stack = building.move()
  return { testApp, server, receiver, proxies: { gateway, model, webhook }, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

test('gateway, model and receiver are each reached through the proxy of their own, and a run is what it is without', async () => {
  await using open = await openBehindProxies()
  const { testApp, server, receiver, proxies } = open
  const { gateway, model } = testApp.world
  const run = await testApp.run('act')
  expect(run).toMatchObject({ status: 'succeeded', reasons: [] })
  expect(server.effects).toHaveLength(1)
  // Each request of ours is known by the id that the gateway wrote down.
  const logged = run.gatewayRequests.map(({ requestIdSent, requestId }) => requestIdSent === requestId)
  expect([logged.length > 2, new Set(logged)]).toEqual([true, new Set([true])])
  const came = receiver.next()
  void testApp.app.outbox.start()
  expect((await came).body).toContain(run.id)
  expect(new Set(proxies.gateway.asked)).toEqual(new Set([gateway.address]))
  expect(new Set(proxies.model.asked)).toEqual(new Set([new URL(model.url).host]))
  expect(new Set(proxies.webhook.asked)).toEqual(new Set([new URL(receiver.url).host]))
})

test('a tunnel that breaks within a call leaves its outcome unknown, and the call is not sent again', async () => {
  await using open = await openBehindProxies()
  const { testApp, server, proxies } = open
  server.answer = () => {
    proxies.gateway.cut()
    return 'done'
  }
  const run = await testApp.run('act')
  expect(run).toMatchObject({ status: 'failed', reasons: [{ code: 'OUTCOME_UNKNOWN' }] })
  expect(server.effects).toHaveLength(1)
})

test('a proxy that is gone is named in the reason of a run, without its password; nothing was sent', async () => {
  await using open = await openBehindProxies()
  const { testApp, server, proxies } = open
  await proxies.gateway[Symbol.asyncDispose]()
  const run = await testApp.run('act')
  expect(run).toMatchObject({ status: 'failed', reasons: [{ code: 'GATEWAY_UNREACHABLE' }] })
  expect(JSON.stringify(run)).toMatch(/the proxy 127\.0\.0\.1:\d+ cannot be gone through/)
  expect(server.methods).toEqual([])
  for (const text of [JSON.stringify(run), testApp.log.join()]) expect(text).not.toContain('canary')
})

test('doctor shows which way each goes, and no password', async () => {
  await using open = await openBehindProxies()
  const { testApp, proxies } = open
  const { out } = await command(['-c', testApp.world.configFile, 'doctor', '--json'])
  const ways = z
    .array(findingSchema)
    .parse(JSON.parse(out))
    .filter(({ check }) => check.startsWith('way of '))
  expect(ways).toEqual(
    (
      [
        ['gateway', proxies.gateway],
        ['providers.openai', proxies.model],
        ['webhooks.team', proxies.webhook],
      ] as const
    ).map(([name, { url }]) => ({ check: `way of ${name}`, status: 'ok', message: `through the proxy ${new URL(url).host}` })),
  )
  expect(out).not.toContain('canary')
})
