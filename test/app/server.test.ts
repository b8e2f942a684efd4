import { once } from 'node:events'
import { connect } from 'node:net'
import { Hono } from 'hono'
import { stream } from 'hono/streaming'
import { expect, test } from 'vitest'
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
