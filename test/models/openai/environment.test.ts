import { afterEach, expect, test, vi } from 'vitest'
import { createProvider } from '../../../src/models/openai/provider.ts'
import { serveHttp } from '../../support/net/listen.ts'

afterEach(() => void vi.unstubAllEnvs())

test('variables that the provider’s own client reads change nothing: neither the key, nor the headers, nor the address', async () => {
  const asked: unknown[] = []
  await using server = await serveHttp((req, res) => {
    asked.push({ ...req.headers, host: '' })
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[]}')
  })
  const look = async () => {
    const provider = createProvider({ name: 'p', api: 'responses', baseUrl: server.url, apiKey: () => 'the-key', stream: false, store: undefined, labels: false, background: false, mcpToken: 'headers', runHeader: true, timeoutMs: 5000, maxResponseBytes: 65_536, formatWithTools: false, redact: (text) => text }) // prettier-ignore
    await provider.knows('m', new AbortController().signal)
    await provider.close()
  }
  await look()
  const theirs = { BASE_URL: 'http://127.0.0.1:9', API_KEY: 'another', ADMIN_KEY: 'another', ORG_ID: 'org', PROJECT_ID: 'project', LOG: 'debug', CUSTOM_HEADERS: 'Authorization: Bearer another\nX-Foo: bar\nOpenAI-Organization: org' } // prettier-ignore
  for (const [name, value] of Object.entries(theirs)) vi.stubEnv(`OPENAI_${name}`, value)
  await look()
  expect(asked).toEqual([asked[0], asked[0]])
  expect(asked[0]).toMatchObject({ authorization: 'Bearer the-key' })
})
