import type { RequestListener } from 'node:http'
import { gzipSync } from 'node:zlib'
import { Agent } from 'undici'
import { describe, expect, test } from 'vitest'
import { fetchLean } from '../../../src/lib/net/http.ts'
import { serveHttp } from '../../support/net/listen.ts'

async function serve(listener: RequestListener) {
  const server = await serveHttp(listener)
  const dispatcher = new Agent()
  return {
    url: `${server.url}/`,
    dispatcher,
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy()
      await server.close()
    },
  }
}

describe('an answer', () => {
  test('has its status, its headers and its text', async () => {
    await using at = await serve((_, res) => res.writeHead(418, { 'x-a': '1', 'set-cookie': ['b', 'c'] }).end('{"é":1}'))
    const answer = await fetchLean(at.url, at)
    expect(answer).toMatchObject({ status: 418, ok: false })
    expect([answer.headers.get('x-a'), answer.headers.get('set-cookie')]).toEqual(['1', 'b, c'])
    expect(await answer.json()).toEqual({ é: 1 })
  })

  test('is not looked for where a redirect points', async () => {
    await using at = await serve((_, res) => res.writeHead(307, { location: '/elsewhere' }).end())
    expect((await fetchLean(at.url, at)).status).toBe(307)
  })

  test('that is packed is unpacked, as text and as a stream', async () => {
    await using at = await serve((_, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('packed')))
    expect(await (await fetchLean(at.url, at)).text()).toBe('packed')
    expect(await new Response((await fetchLean(at.url, at)).body).text()).toBe('packed')
  })

  test('without a body leaves its connection to later requests', async () => {
    const connections = new Set<unknown>()
    await using at = await serve((req, res) => {
      connections.add(req.socket)
      res.writeHead(202, { 'content-length': '0' }).end()
    })
    for (let i = 0; i < 10; i++) expect((await fetchLean(at.url, { ...at, method: 'POST', body: '{}' })).body).toBeNull()
    // undici takes a second one while the first is still being read.
    expect(connections.size).toBeLessThanOrEqual(2)
  })

  test('that is asked for its stream and then for its text gives its text', async () => {
    await using at = await serve((_, res) => res.end('whole'))
    const answer = await fetchLean(at.url, at)
    expect(answer.body).not.toBeNull()
    expect(await answer.text()).toBe('whole')
  })

  test('that is silent can be cancelled while it is read, and its connection ends', async () => {
    const closed = Promise.withResolvers<void>()
    await using at = await serve((_, res) => {
      res.once('close', closed.resolve)
      res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    })
    const reader = (await fetchLean(at.url, at)).body?.getReader()
    const read = reader?.read()
    await reader?.cancel()
    expect(await read).toEqual({ done: true, value: undefined })
    await closed.promise
  })
})

describe('a failure', () => {
  test('to connect is a TypeError with its cause', async () => {
    const { url } = await serve(() => {}).then(async (at) => {
      await at[Symbol.asyncDispose]()
      return at
    })
    await using dispatcher = { agent: new Agent(), [Symbol.asyncDispose]: () => dispatcher.agent.destroy() }
    await expect(fetchLean(url, { dispatcher: dispatcher.agent })).rejects.toMatchObject({
      name: 'TypeError',
      cause: { code: 'ECONNREFUSED' },
    })
  })

  test('in the middle of the body is a TypeError', async () => {
    await using at = await serve((_, res) => {
      res.writeHead(200, { 'content-length': '100' }).write('half')
      setImmediate(() => res.socket?.resetAndDestroy())
    })
    await expect(fetchLean(at.url, at).then((answer) => answer.text())).rejects.toThrow(TypeError)
  })

  test('by its signal gives the reason of the signal, before and after the headers', async () => {
    const arrived = Promise.withResolvers<void>()
    await using at = await serve((req, res) => {
      if (req.url === '/body') res.writeHead(200).flushHeaders()
      arrived.resolve()
    })
    const before = new AbortController()
    const asked = fetchLean(at.url, { ...at, signal: before.signal })
    await arrived.promise
    before.abort('enough')
    await expect(asked).rejects.toBe('enough')
    const after = new AbortController()
    const answer = await fetchLean(`${at.url}body`, { ...at, signal: after.signal })
    const text = answer.text()
    after.abort('enough')
    await expect(text).rejects.toBe('enough')
  })
})
