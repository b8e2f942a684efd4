// Where a page for people, a proxy's or a sign-in's, stands in place of the API, that is said, and not what stands in it.
import { expect, test } from 'vitest'
import { openProvider } from '../../support/model/provider.ts'

const PAGE = '<!DOCTYPE html><html><head><title>Sign in</title></head><body><script>x()</script>Sign in</body></html>'

const rows: [status: number, headers: Record<string, string>, body: string, code: string, said: string, cure: string][] = [
  [200, { 'content-type': 'text/html' }, PAGE, 'MODEL_UNAVAILABLE', 'the address answers with a web page', 'providers.odd.baseUrl'],
  [200, {}, `\ufeff\n${PAGE}`, 'MODEL_UNAVAILABLE', 'the address answers with a web page', 'providers.odd.baseUrl'],
  [404, { 'content-type': 'text/html' }, PAGE, 'MODEL_UNAVAILABLE', 'the address answers with a web page', 'providers.odd.baseUrl'],
  [302, { location: '/login' }, '', 'MODEL_UNAVAILABLE', 'the address answers with a redirect', 'providers.odd.baseUrl'],
  [403, { 'content-type': 'text/html' }, PAGE, 'MODEL_AUTH', '403 a web page', 'apiKey'],
  [400, { 'content-type': 'text/html' }, PAGE, 'MODEL_REJECTED', '400 a web page', 'Read its message'],
]

test.each(rows)('%d with %o: %s', async (status, headers, body, code, said, cure) => {
  for (const way of ['chat', 'responses', 'messages'] as const) {
    for (const stream of [true, false]) {
      await using opened = await openProvider({ way, stream }, (res) => res.writeHead(status, headers).end(body))
      const failure = await opened.ask()
      expect(failure).toMatchObject({ code, message: expect.stringContaining(said), cure: expect.stringContaining(cure) })
      expect(String(failure)).not.toContain('<')
      expect(String(failure)).not.toContain('Sign in')
    }
  }
})

const errors: [what: string, body: string, code: string, said: string][] = [
  ['in a list', '[{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens (5)."}}]', 'CONTEXT_FULL', 'token count'],
  ['without a frame', '{"object":"error","message":"The prompt is too long","code":400}', 'CONTEXT_FULL', 'too long'],
  ['as a text', '{"error":"model \\"m\\" not found"}', 'MODEL_NOT_FOUND', 'not found'],
  ['as a list of faults', '{"detail":[{"loc":["body","store"],"msg":"Extra inputs are not permitted"}]}', 'MODEL_REJECTED', 'Extra inputs'],
  ['as a text that is no JSON', 'Bad thing', 'MODEL_REJECTED', 'Bad thing'],
  ['too deep to be read', `{"error":${'['.repeat(1000)}${']'.repeat(1000)}}`, 'MODEL_REJECTED', 'nested deeper'],
] // prettier-ignore

test.each(errors)('an error %s is read', async (_, body, code, said) => {
  await using opened = await openProvider({ way: 'chat', stream: false }, (res) =>
    res.writeHead(400, { 'content-type': 'application/json' }).end(body),
  )
  expect(await opened.ask()).toMatchObject({ code, message: expect.stringContaining(said) })
})
