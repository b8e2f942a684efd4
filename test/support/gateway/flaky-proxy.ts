import { connect, createServer, type Socket } from 'node:net'
import { createDice } from '../dice.ts'
import { listen } from '../net/listen.ts'

export interface FlakyProxy extends AsyncDisposable {
  url: string
  /** Connections cut so far. */
  cuts: number
}

/** A TCP proxy that resets connections: some before a request gets through, some after it did and before its answer. */
export async function startFlakyProxy(target: string, { seed, share }: { seed: number; share: number }): Promise<FlakyProxy> {
  const { hostname, port: targetPort } = new URL(target)
  const dice = createDice(seed)
  const sockets = new Set<Socket>()
  const proxy = { cuts: 0 }
  const server = createServer((client) => {
    const upstream = connect(Number(targetPort), hostname)
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
    client.on('data', (chunk) => (dice.roll() < share / 2 ? cut() : upstream.write(chunk)))
    upstream.on('data', (chunk) => {
      const rolled = dice.roll()
      if (rolled < share / 4) cut()
      else if (rolled < share / 2) client.write(chunk.subarray(0, Math.floor(chunk.length / 2)), cut)
      else client.write(chunk)
    })
  })
  const port = await listen(server)
  return Object.assign(proxy, {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  })
}
