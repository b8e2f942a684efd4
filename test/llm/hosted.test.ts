import { expect, test } from 'vitest'
import { countingRoute, startCountingServer } from '../support/counting-server.ts'
import { buildHouse, type HouseOptions } from '../support/house.ts'

const job = (extra = '') => `
account: reports
delegate: hosted
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  counting: { allow: [act, look], repeatable: [look] }
retry: { attempts: 3, backoff: 10ms }
${extra}`

async function hostedHouse(script: string, options: Partial<HouseOptions> & { job?: string; background?: boolean } = {}) {
  const server = await startCountingServer()
  const house = await buildHouse({
    routes: [countingRoute(server)],
    jobs: { act: options.job ?? job() },
    scripts: { scripted: script },
    ...options,
  })
  return {
    server,
    house,
    async [Symbol.asyncDispose]() {
      await house[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('a provider calls the servers itself, and each of its calls has a row', async () => {
  await using one = await hostedHouse('call counting__act {"n": 1}\ncall counting__look {}\nsay $1 and $2')
  const run = await one.house.run('act')
  expect(run).toMatchObject({ status: 'succeeded', reasons: [], outputText: 'done and done' })
  expect(run.toolCalls).toMatchObject([
    { server: 'counting', tool: 'act', arguments: { n: 1 }, status: 'ok', requestId: null, repeatable: false },
    { server: 'counting', tool: 'look', status: 'ok', repeatable: true },
  ])
  expect(one.server.effects).toHaveLength(1)
})
