import { basename } from 'node:path'
import { rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeBackends } from '../support/app/backends.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { dumpDatabase, dumpRedis } from '../support/database/dump.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { serveHttp } from '../support/net/listen.ts'
import { countingJob } from '../support/app/jobs.ts'

const MODEL_KEY = 'canary-model-key-77'

const job = (provider: string) => countingJob({ provider, retry: '{ attempts: 2, backoff: 1ms }' })

/** A provider that repeats the key in its error, as some do. */
async function startEchoProvider() {
  const server = await serveHttp((req, res) => {
    const error = {
      message: `Incorrect API key provided: ${req.headers.authorization}`,
      type: 'invalid_request_error',
      code: 'invalid_api_key',
      param: null,
    }
    res.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
  })
  return { url: `${server.url}/v1`, [Symbol.asyncDispose]: server.close }
}

async function everythingKept(testApp: TestApp, redisUrl: string | undefined): Promise<string> {
  const redis = redisUrl === undefined ? '' : await dumpRedis(redisUrl, basename(testApp.dir))
  return [testApp.log.join(''), JSON.stringify(testApp.progress), await dumpDatabase(testApp.database.db), redis].join('\n')
}

describeBackends('secrets', ({ redisUrl }) => {
  test('are in no log line, row, queue entry, result or error, whatever fails', async () => {
    await using server = await startCountingServer()
    await using provider = await startEchoProvider()
    await using testApp = await buildTestApp({
      redisUrl,
      routes: [countingRoute(server)],
      jobs: { works: job('openai'), refused: job('echo') },
      scripts: { scripted: 'call counting__look {"n": 1}\nsay $1' },
      config: { providers: { echo: { baseUrl: provider.url, apiKey: MODEL_KEY } } },
    })
    const { jwt } = testApp.world.account
    const outcomes: string[] = []
    const run = async (name: string) => {
      const { status, failure } = await testApp.run(name)
      outcomes.push(`${status} ${failure?.code ?? ''}`.trim())
    }
    // Servers that know the token, and give it away in every way they can.
    server.answer = () => `your token is ${jwt}`
    await run('works')
    server.answer = (call, _, res) =>
      void res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: call.id, error: { code: -32000, message: jwt } }))
    await run('works')
    server.answer = (_, __, res) => void res.writeHead(400, { 'content-type': 'text/plain' }).end(`Bearer Pomerium-${jwt}`)
    await run('works')
    server.answer = (_, __, res) => void res.writeHead(200, { 'content-type': 'application/json', 'x-request-id': jwt }).end(jwt)
    await run('works')
    await run('refused')
    testApp.world.gateway.accounts.delete(testApp.world.account.id)
    await run('works')
    writeFileSync(testApp.world.tokenFile, `${jwt} ${jwt}`)
    await run('works')
    rmSync(testApp.world.tokenFile)
    await run('works')

    expect(outcomes).toMatchInlineSnapshot(`
      [
        "succeeded",
        "succeeded",
        "failed UPSTREAM_ERROR",
        "failed UPSTREAM_UNAVAILABLE",
        "failed MODEL_AUTH",
        "failed TOKEN_REJECTED",
        "failed TOKEN_REJECTED",
        "failed TOKEN_REJECTED",
      ]
    `)
    const kept = await everythingKept(testApp, redisUrl)
    const canaries = {
      token: jwt,
      signature: jwt.split('.')[2] ?? '',
      modelKey: MODEL_KEY,
      databasePassword: new URL(testApp.database.url).password,
    }
    for (const [name, canary] of Object.entries(canaries)) expect(kept.includes(canary), name).toBe(false)
    // The dump is not empty by mistake: what may be kept is there.
    expect(kept).toContain(testApp.world.account.id)
    expect(kept).toContain('your token is [secret]')
  })
})
