import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildTestApp } from '../support/app/test-app.ts'
import { serveHttp } from '../support/net/listen.ts'

test('a key of a provider that was replaced in its file is used and hidden from the next request on; without the file the run is tried later', async () => {
  const seen: (string | undefined)[] = []
  // It refuses every key, and repeats it.
  const server = await serveHttp((req, res) => {
    const { authorization } = req.headers
    seen.push(authorization)
    const error = { message: `no key: ${authorization}`, type: 'invalid_request_error', code: 'invalid_api_key', param: null }
    res.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
  })
  await using _ = { [Symbol.asyncDispose]: server.close }
  await using testApp = await buildTestApp({
    jobs: {
      report:
        'account: reports\nmodel: { provider: filed, name: any }\nprompt: Do it.\ntools:\n  labor: { allow: [query], required: false }\nretry: { attempts: 1 }\n',
    },
    files: { 'model.secret': 'canary-first-key' },
    config: { providers: { filed: { baseUrl: server.url, apiKeyFile: './model.secret' } } },
  })
  const file = join(testApp.dir, 'model.secret')
  const first = await testApp.run('report')
  writeFileSync(file, 'canary-second-key\n')
  const second = await testApp.run('report')
  rmSync(file)
  const third = await testApp.run('report')
  expect(seen).toEqual(['Bearer canary-first-key', 'Bearer canary-second-key'])
  expect([first, second, third].map(({ failure }) => failure?.code)).toEqual(['MODEL_AUTH', 'MODEL_AUTH', 'MODEL_UNAVAILABLE'])
  expect(third.failure?.message).toContain('model.secret cannot be used')
  expect(JSON.stringify([first, second, third]) + testApp.log.join('')).not.toMatch(/canary-(first|second)-key/)
})
