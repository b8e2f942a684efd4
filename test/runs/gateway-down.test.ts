import { expect, test } from 'vitest'
import { describeFailure } from '../../src/core/failure.ts'
import { describeBackends } from '../support/app/backends.ts'
import { freePort } from '../support/net/listen.ts'
import { buildTestApp, type TestAppOptions } from '../support/app/test-app.ts'

const job = `
account: reports
model: { provider: openai, name: scripted }
prompt: Go.
tools:
  labor: { allow: [query], repeatable: [query] }
retry: { attempts: 2, backoff: 1ms }
`
const options: TestAppOptions = { jobs: { job }, scripts: { scripted: 'say done' } }

describeBackends('a gateway', ({ redisUrl }) => {
  test('that is down: the run tries again, fails with the cure, and no model token is spent', async () => {
    const address = `127.0.0.1:${await freePort()}`
    await using testApp = await buildTestApp({ ...options, redisUrl, config: { gateway: { address } } })
    const run = await testApp.run('job')
    expect(run).toMatchObject({ status: 'failed', failure: { code: 'GATEWAY_UNREACHABLE', retry: 'later' }, turns: [], toolCalls: [] })
    expect(run.failure && describeFailure(run.failure)).toMatch(
      /^No answer from labor\.localhost\.pomerium\.io: connect ECONNREFUSED 127\.0\.0\.1:\d+\. Check gateway\.url, gateway\.address, gateway\.caFile and the network\. Its attempts \(2\) are used up: nightshift retry run_[0-9a-f-]+\.$/,
    )
    expect(run.attempts.map(({ status, failure }) => [status, failure?.code])).toEqual([
      ['failed', 'GATEWAY_UNREACHABLE'],
      ['failed', 'GATEWAY_UNREACHABLE'],
    ])
    expect(run.gatewayRequests.map(({ attempt, status, error, requestId }) => [attempt, status, error, requestId])).toEqual([
      [1, null, 'ECONNREFUSED', null],
      [2, null, 'ECONNREFUSED', null],
    ])
    expect(testApp.world.model.requests).toEqual([])
  })

  test('whose certificate is not trusted: the run fails at once and says which line to correct', async () => {
    await using testApp = await buildTestApp({ ...options, redisUrl, config: { gateway: { caFile: '' } } })
    const run = await testApp.run('job')
    expect(run).toMatchObject({ status: 'failed', failure: { code: 'GATEWAY_UNREACHABLE', retry: 'never' }, turns: [] })
    expect(run.attempts).toHaveLength(1)
    expect(run.failure?.cure).toContain('Name the CA in gateway.caFile, or correct gateway.url.')
    expect(testApp.world.model.requests).toEqual([])
  })
})
