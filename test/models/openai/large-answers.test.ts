import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createProvider } from '../../../src/models/openai/provider.ts'
import { serveHttp } from '../../support/net/listen.ts'

const MOST = 100_000

/** Goes on until nobody listens. */
function endless(res: ServerResponse, piece: string): void {
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  Readable.from(
    (function* () {
      for (;;) yield piece
    })(),
  ).pipe(res)
}

const spaces = Buffer.alloc(50_000_000, ' ')
const answers: [string, boolean, (res: ServerResponse) => void][] = [
  ['a body', false, (res) => res.writeHead(200, { 'content-type': 'application/json' }).end(spaces)],
  [
    'a small body that unpacks to a large one',
    false,
    (res) => res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(gzipSync(spaces)),
  ],
  ['a stream without an end', true, (res) => endless(res, `: ${'x'.repeat(1000)}\n\n`)],
  ['a stream of one event without an end', true, (res) => endless(res, 'x'.repeat(1000))],
]

const ways = (['responses', 'chat', 'hosted'] as const).flatMap((way) => answers.map((answer) => [way, ...answer] as const))

test.each(ways)('%s: %s that is larger than the limit ends with a failure that names it', async (way, _, stream, answer) => {
  await using server = await serveHttp((req, res) => {
    req.resume()
    answer(res)
  })
  await using stack = new AsyncDisposableStack()
  const provider = createProvider({
    name: 'odd',
    api: way === 'chat' ? 'chat' : 'responses',
    baseUrl: server.url,
    apiKey: undefined,
    stream,
    store: undefined,
    background: false,
    timeoutMs: 50_000,
    maxResponseBytes: MOST,
    formatWithTools: true,
    redact: (text) => text,
  })
  stack.defer(() => provider.close())
  const { signal } = new AbortController()
  const request = { instructions: undefined, prompt: 'Do it.', exchanges: [], tools: [], mayCall: true, output: undefined }
  const ask = async (): Promise<unknown> => {
    if (way !== 'hosted') return provider.model('m').respond(request, signal)
    const hosted = provider.hosted('m')
    try {
      for await (const event of await hosted.ask({ ...request, servers: [] }, signal)) void event
    } catch (error) {
      throw hosted.nameFailure(error)
    }
    return undefined
  }
  expect(await ask().catch((error: unknown) => error)).toMatchObject({
    code: 'RESULT_TOO_LARGE',
    message: 'odd, model m: the answer has more than 100000 bytes.',
    cure: expect.stringContaining('providers.odd.maxResponseBytes'),
  })
})
