import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { openProvider } from '../support/model/provider.ts'

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
const packed = gzipSync(spaces)
const answers: [string, boolean, (res: ServerResponse) => void][] = [
  ['a body', false, (res) => res.writeHead(200, { 'content-type': 'application/json' }).end(spaces)],
  [
    'a small body that unpacks to a large one',
    false,
    (res) => res.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(packed),
  ],
  ['a stream without an end', true, (res) => endless(res, `: ${'x'.repeat(1000)}\n\n`)],
  ['a stream of one event without an end', true, (res) => endless(res, 'x'.repeat(1000))],
]

const ways = (['responses', 'chat', 'hosted', 'messages'] as const).flatMap((way) => answers.map((answer) => [way, ...answer] as const))

test.each(ways)('%s: %s that is larger than the limit ends with a failure that names it', async (way, _, stream, answer) => {
  await using opened = await openProvider({ way, stream, maxResponseBytes: MOST }, answer)
  expect(await opened.ask()).toMatchObject({
    code: 'RESULT_TOO_LARGE',
    message: 'odd, model m: the answer has more than 100000 bytes (providers.odd.maxResponseBytes).',
    cure: expect.stringContaining('providers.odd.maxResponseBytes'),
  })
})

const refusals: [status: number, code: string][] = [
  [400, 'MODEL_REJECTED'],
  [401, 'MODEL_AUTH'],
  [429, 'MODEL_RATE_LIMITED'],
  [500, 'MODEL_UNAVAILABLE'],
]

test.each((['responses', 'chat', 'hosted', 'messages'] as const).flatMap((way) => refusals.map((one) => [way, ...one] as const)))(
  '%s: a refusal with %i whose body is larger than the limit is judged by its status, and says which limit',
  async (way, status, code) => {
    await using opened = await openProvider({ way, stream: true, maxResponseBytes: MOST }, (res) =>
      res.writeHead(status, { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-should-retry': 'false' }).end(packed),
    )
    expect(await opened.ask()).toMatchObject({
      code,
      message: `odd, model m: ${status} the answer has more than 100000 bytes (providers.odd.maxResponseBytes).`,
    })
  },
)
