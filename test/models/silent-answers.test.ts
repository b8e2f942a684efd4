import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { openProvider } from '../support/model/provider.ts'

const begins: [string, (res: ServerResponse) => void][] = [
  ['its headers', (res) => res.flushHeaders()],
  ['its first bytes', (res) => res.write('{')],
]

/** Headers come, and then nothing more: a proxy whose upstream stalled, a path that was lost. */
const ways = ([['responses', true], ['responses', false], ['chat', true], ['chat', false], ['hosted', true], ['messages', true], ['messages', false]] as const).flatMap((way) =>
  begins.map((begin) => [...way, ...begin] as const),
) // prettier-ignore

test.each(ways)('%s, streamed %s: an answer that stalls after %s is given up and may be asked for again', async (way, stream, _, begin) => {
  await using opened = await openProvider({ way, stream, timeoutMs: 300 }, (res) => {
    res.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' })
    begin(res)
  })
  expect(await opened.ask()).toMatchObject({ code: 'MODEL_UNAVAILABLE', retry: 'later' })
})
