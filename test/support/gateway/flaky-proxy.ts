import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface FlakyProxy extends AsyncDisposable {
  url: string
  /** Connections cut so far. */
  cuts: number
}

/** The same numbers from 0 to 1 for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A TCP proxy that resets connections: some before a request gets through, some after it did and before its answer. */
export async function startFlakyProxy(target: string, { seed, share }: { seed: number; share: number }): Promise<FlakyProxy> {
  const { hostname, port } = new URL(target)
  const random = createRandom(seed)
  const sockets = new Set<Socket>()
  const proxy = { cuts: 0 }
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    const cut = () => {
      proxy.cuts++
      client.resetAndDestroy()
      upstream.resetAndDestroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (chunk) => (random() < share / 2 ? cut() : upstream.write(chunk)))
    upstream.on('data', (chunk) => {
      const dice = random()
      if (dice < share / 4) cut()
      else if (dice < share / 2) client.write(chunk.subarray(0, Math.floor(chunk.length / 2)), cut)
      else client.write(chunk)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  })
}
