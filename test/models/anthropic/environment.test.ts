import { afterEach, expect, test, vi } from 'vitest'
import { createProvider } from '../../../src/models/anthropic/provider.ts'
import { serveHttp } from '../../support/net/listen.ts'

afterEach(() => void vi.unstubAllEnvs())

test('variables that Anthropic’s own client reads change nothing: neither the key, nor the headers, nor the address', async () => {
  const asked: unknown[] = []
  await using server = await serveHttp((req, res) => {
    asked.push({ ...req.headers, host: '', path: req.url })
    res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[{"id":"m"}],"has_more":false}')
  })
  const look = async () => {
    const provider = createProvider({ name: 'p', baseUrl: `${server.url}/v1`, apiKey: () => 'the-key', stream: false, labels: false, timeoutMs: 5000, maxResponseBytes: 65_536, formatWithTools: false, maxTokensOf: () => undefined, redact: (text) => text }) // prettier-ignore
    expect(await provider.knows('m', new AbortController().signal)).toBe(true)
    await provider.close()
  }
  await look()
  const theirs = { BASE_URL: 'http://127.0.0.1:9', API_KEY: 'another', AUTH_TOKEN: 'another', LOG: 'debug', CUSTOM_HEADERS: 'X-Api-Key: another\nX-Foo: bar\nAnthropic-Beta: odd' } // prettier-ignore
  for (const [name, value] of Object.entries(theirs)) vi.stubEnv(`ANTHROPIC_${name}`, value)
  await look()
  expect(asked).toEqual([asked[0], asked[0]])
  expect(asked[0]).toMatchObject({
    authorization: 'Bearer the-key',
    'x-api-key': 'the-key',
    'anthropic-version': '2023-06-01',
    path: '/v1/models?limit=1000',
  })
  expect(asked[0]).not.toHaveProperty('anthropic-beta')
})

test('a model is looked for on each page of the list, and then by its name', async () => {
  await using server = await serveHttp((req, res) => {
    const send = (status: number, body: object) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const { pathname, searchParams } = new URL(req.url ?? '', server.url)
    if (pathname === '/v1/models/newest') return send(200, { id: 'm', type: 'model' })
    if (pathname !== '/v1/models') return send(404, { type: 'error', error: { type: 'not_found_error', message: 'model: x' } })
    return searchParams.get('after_id') === 'a'
      ? send(200, { data: [{ id: 'm' }], has_more: false })
      : send(200, { data: [{ id: 'a' }], has_more: true, last_id: 'a' })
  })
  const provider = createProvider({ name: 'p', baseUrl: server.url, apiKey: () => undefined, stream: false, labels: false, timeoutMs: 5000, maxResponseBytes: 65_536, formatWithTools: false, maxTokensOf: () => undefined, redact: (text) => text }) // prettier-ignore
  const { signal } = new AbortController()
  const known: unknown[] = []
  for (const name of ['a', 'm', 'newest', 'other']) known.push(await provider.knows(name, signal))
  expect(known).toEqual([true, true, true, false])
  await provider.close()
})
