import { connect, createServer, type Socket } from 'node:net'
import { listen } from './listen.ts'

export interface Gate extends AsyncDisposable {
  port: number
  /** Messages of clients that were handed on so far. */
  passed: () => number
  /** Resolves once one was kept back: whoever sent it waits for an answer that does not come. */
  silent: Promise<void>
}

/** A way to a server that hands on so many messages of its clients, and then nothing more: the connections stay, as those to a frozen machine do. */
export async function openGate(target: { host: string; port: number } | { path: string }, messages: number): Promise<Gate> {
  const sockets = new Set<Socket>()
  const silent = Promise.withResolvers<void>()
  let passed = 0
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  }
  const server = createServer((client) => {
    const upstream = connect(target)
    for (const socket of [client, upstream]) keep(socket)
    client.on('data', (message) => {
      if (passed >= messages) return silent.resolve()
      passed++
      upstream.write(message)
    })
    upstream.on('data', (message) => client.write(message))
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  const port = await listen(server)
  return {
    port,
    passed: () => passed,
    silent: silent.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}
