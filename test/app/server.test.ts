import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import { expect, test } from 'vitest'
import { problemSchema } from '../../src/http/problem.ts'
import { createHttpServer } from '../../src/app/server.ts'

test('a client that asks and does not read is cut, and what was open for it ends', async () => {
  const ended = Promise.withResolvers<void>()
  const routes = () =>
    new Hono().get('/', (c) =>
      stream(c, async (out) => {
        out.onAbort(() => ended.resolve())
        while (!out.aborted) await out.write('x'.repeat(65_536))
      }),
    )
  const server = createHttpServer({ listen: '127.0.0.1:0', hasIdentity: false, routes, idleTimeoutMs: 300 })
  await server.start()
  const socket = connect(Number(new URL(server.url()).port), '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await ended.promise
  socket.destroy()
  await server.stop()
})

test('a stream on which something is said now and then is not cut', async () => {
  const beats = 12
  const routes = () =>
    new Hono().get('/', (c) =>
      stream(c, async (out) => {
        for (let beat = 0; beat < beats; beat++) {
          await out.write('.')
          await out.sleep(50)
        }
      }),
    )
  const server = createHttpServer({ listen: '127.0.0.1:0', hasIdentity: false, routes, idleTimeoutMs: 400 })
  await server.start()
  expect(await (await fetch(server.url())).text()).toBe('.'.repeat(beats))
  await server.stop()
})

test('a connection is kept for a next request longer than gateways need between two', async () => {
  const server = createHttpServer({ listen: '127.0.0.1:0', hasIdentity: false, routes: () => new Hono().get('/', (c) => c.text('x')) })
  await server.start()
  const { headers } = await fetch(server.url())
  expect([headers.get('connection'), headers.get('keep-alive')]).toEqual(['keep-alive', 'timeout=75'])
  await server.stop()
})

const GET = 'GET / HTTP/1.1\r\nhost: x\r\n'

/** All that a server says to these bytes until it ends the connection. */
async function told(url: string, bytes: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
  socket.end(bytes)
  return text(socket)
}

test.each([
  ['headers that are too long', `${GET}x-long: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'more than 16384 bytes'],
  ['an address that is too long', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, 431, 'more than 16384 bytes'],
  ['the beginning of TLS', Buffer.from('16030100a5010000a10303', 'hex'), 400, 'no request of HTTP/1.1'],
  ['a method that is none', `FOO / HTTP/1.1\r\nhost: x\r\n\r\n`, 400, 'no request of HTTP/1.1'],
  ['two lengths', `${GET}content-length: 1\r\ncontent-length: 2\r\n\r\nab`, 400, 'no request of HTTP/1.1'],
  ['an address that is not escaped', 'GET /ü HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'no request of HTTP/1.1'],
  ['an expectation that nobody knows', `${GET}expect: 200-maybe\r\nconnection: close\r\n\r\n`, 417, 'The header Expect'],
  ['a host that is none', 'GET / HTTP/1.1\r\nhost: a b/c\r\nconnection: close\r\n\r\n', 400, 'The request cannot be read: '],
])('%s: it is told with a problem and an id', async (_, bytes, status, words) => {
  const server = createHttpServer({ listen: '127.0.0.1:0', hasIdentity: false, routes: () => new Hono().get('/', (c) => c.text('x')) })
  await server.start()
  const [head = '', body = ''] = (await told(server.url(), bytes)).split('\r\n\r\n')
  expect(head.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  expect(head).toMatch(/^x-request-id: [0-9a-f-]{36}$/m)
  expect(head).toMatch(/^content-type: application\/problem\+json$/m)
  const problem = problemSchema.parse(JSON.parse(body))
  expect(problem).toMatchObject({ status, code: 'REQUEST_INVALID', detail: expect.stringContaining(words) })
  expect(problem.cure).not.toBe('')
  await server.stop()
})

test('what cannot be read behind a request is told in the middle of no answer', async () => {
  const routes = () =>
    new Hono().get('/', (c) =>
      stream(c, async (out) => {
        await out.write('begun')
        await new Promise<void>((done) => out.onAbort(done))
      }),
    )
  const server = createHttpServer({ listen: '127.0.0.1:0', hasIdentity: false, routes })
  await server.start()
  const socket = connect(Number(new URL(server.url()).port), '127.0.0.1').on('error', () => {})
  let said = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    if (!said.includes('begun') && `${said}${chunk}`.includes('begun')) socket.write('no request\r\n\r\n')
    said += chunk
  })
  socket.write(`${GET}\r\n`)
  await once(socket, 'close')
  expect(said.match(/HTTP\/1\.1/g)).toHaveLength(1)
  await server.stop()
})
