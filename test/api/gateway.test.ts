import { basename } from 'node:path'
import { Agent, request } from 'undici'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createClient, createChecker, openApi, problem } from '../support/app/api.ts'
import { describeBackends } from '../support/app/backends.ts'
import { dumpDatabase, dumpRedis } from '../support/database/dump.ts'
import { freePort } from '../support/net/listen.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const HOST = 'jobs.localhost.pomerium.io'
const ticket = z.object({ id: z.string() })

/** A Nightshift whose API stands behind the stand-in gateway, and a way to ask it there. */
async function behindGateway(kind: 'mcp-client' | 'plain', redisUrl?: string) {
  const port = await freePort()
  const users = ['svc-reports', 'svc-caller', 'svc-nobody']
  const api = await openApi({
    redisUrl,
    jobs: { work: WORK },
    scripts: { scripted: WORK_SCRIPT },
    routes: [
      {
        name: 'jobs',
        from: `https://${HOST}`,
        to: `http://127.0.0.1:${port}`,
        kind,
        passIdentityHeaders: true,
        policy: { allowUsers: users },
      },
    ],
    api_: {
      listen: `127.0.0.1:${port}`,
      tokens: {},
      pomerium: { audience: HOST, users: { 'svc-caller': 'runner', 'svc-reports': 'operator' } },
    },
  })
  const { gateway } = api.testApp.world
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
  const check = createChecker(await (await fetch(`${api.url}/openapi.json`)).json())
  return {
    api,
    account: (userId: string) => gateway.accounts.create({ userId }),
    ask: async (jwt: string, method: 'GET' | 'POST', path: string, body?: unknown) => {
      const {
        statusCode,
        headers,
        body: answer,
      } = await request(`https://${gateway.address}${path}`, {
        dispatcher,
        method,
        headers: { host: HOST, authorization: `Bearer Pomerium-${jwt}`, accept: 'application/json', 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      })
      const parsed: unknown = JSON.parse(await answer.text())
      check(method, path, statusCode, String(headers['content-type']), parsed)
      return { status: statusCode, body: parsed }
    },
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy()
      await api[Symbol.asyncDispose]()
    },
  }
}

describeBackends('the API behind the gateway', ({ redisUrl }) => {
  test.each(['mcp-client', 'plain'] as const)(
    'knows callers of a %s route by the assertion, and keeps nothing of what they sent',
    async (kind) => {
      await using behind = await behindGateway(kind, redisUrl)
      const { api, ask } = behind
      const caller = await behind.account('svc-caller')
      const asked = await ask(caller.jwt, 'POST', '/v1/jobs/work/runs', { input: { n: 1 } })
      expect(asked.status).toBe(202)
      const { id } = ticket.parse(asked.body)
      await api.testApp.app.worker.start()
      const shown = await ask(caller.jwt, 'GET', `/v1/runs/${id}?wait=30`)
      expect(shown.body).toMatchObject({ status: 'succeeded', requestedBy: 'svc-caller' })
      expect((await ask(caller.jwt, 'POST', '/v1/runs/bulk-retry', { filter: { job: 'work' } })).status).toBe(403)
      expect((await ask((await behind.account('svc-nobody')).jwt, 'GET', '/v1/runs')).status).toBe(403)
      expect((await ask(caller.jwt, 'POST', '/v1/jobs/work/runs', { wrong: caller.id })).status).toBe(400)
      expect((await fetch(`${api.url}/v1/runs`, { headers: { authorization: `Bearer Pomerium-${caller.jwt}` } })).status).toBe(401)

      const redis = redisUrl === undefined ? '' : await dumpRedis(redisUrl, basename(api.testApp.dir))
      const kept = [
        api.testApp.log.join(''),
        JSON.stringify(api.testApp.progress),
        await dumpDatabase(api.testApp.database.db),
        redis,
      ].join('\n')
      const canaries = {
        token: caller.jwt,
        signature: caller.jwt.split('.')[2] ?? '',
        mcpToken: 'pom_mat_demo',
        assertion: 'eyJhbGciOiJFUzI1NiIs',
      }
      for (const [name, canary] of Object.entries(canaries)) expect(kept.includes(canary), name).toBe(false)
      expect(kept).toContain(id)
    },
  )
})

test('without the gateway’s keys no assertion is accepted', async () => {
  const users = { 'svc-caller': 'operator' }
  await using api = await openApi({
    jobs: { work: WORK },
    scripts: { scripted: WORK_SCRIPT },
    api_: { pomerium: { audience: HOST, jwksUrl: `https://${HOST}/nothing`, users } },
  })
  const ask = await createClient(api.url)
  const header = Buffer.from('{"alg":"ES256","kid":"k"}').toString('base64url')
  const answer = await ask('GET', '/v1/runs', { who: 'nobody', headers: { 'x-pomerium-jwt-assertion': `${header}.e30.AAAA` } })
  expect([answer.status, problem.parse(answer.body).code]).toEqual([502, 'GATEWAY_UNREACHABLE'])
})
