import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { listen } from './listen.ts'

export interface ConnectProxyOptions {
  /** Only who says this gets a tunnel. */
  user?: { name: string; password: string }
  /** With a certificate it is spoken to over TLS. */
  tls?: { key: string; cert: string }
  /** Whatever is asked for, the tunnel leads there. */
  leadsTo?: number
  /** Answers with this status instead of a tunnel; 0 is silence. */
  status?: number
}

/** A proxy that makes tunnels, as those of firms do. */
export interface ConnectProxy extends AsyncDisposable {
  url: string
  /** What was asked for, `host:port`, whether a tunnel came of it or not. */
  asked: string[]
  /** The headers of those requests, and all other requests that came. */
  seen: string[]
  /** Resets what passes it from now on, and every tunnel. */
  cut: () => void
}

export async function startConnectProxy({ user, tls, leadsTo, status }: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const sockets = new Set<Duplex>()
  const keep = (socket: Duplex) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  }
  const asked: string[] = []
  const seen: string[] = []
  const wanted = user && `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`
  const server = tls ? createTlsServer(tls) : createHttpServer()
  server.on('connection', (socket: Socket) => keep(socket))
  server.on('request', (req: IncomingMessage, res) => {
    seen.push(`${req.method} ${req.url}`)
    res.writeHead(400).end()
  })
  server.on('connect', (req: IncomingMessage, client: Duplex) => {
    keep(client)
    asked.push(req.url ?? '')
    seen.push(JSON.stringify(req.headers))
    const refusal = wanted !== undefined && req.headers['proxy-authorization'] !== wanted ? 407 : status
    if (refusal === 0) return
    if (refusal !== undefined) return client.end(`HTTP/1.1 ${refusal} Refused\r\nContent-Length: 4\r\n\r\nno!\n`)
    const { hostname, port } = new URL(`http://${req.url}`)
    const upstream = connect(leadsTo ?? Number(port || 80), hostname.replaceAll(/[[\]]/g, '').replace(/^.*\.test$/, '127.0.0.1'))
    keep(upstream)
    upstream.once('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      client.pipe(upstream).pipe(client)
    })
    upstream.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) one.on('close', () => other.destroy()) // prettier-ignore
  })
  const port = await listen(server)
  const login = user ? `${encodeURIComponent(user.name)}:${encodeURIComponent(user.password)}@` : ''
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http${tls ? 's' : ''}://${login}${tls ? 'localhost' : '127.0.0.1'}:${port}`,
    asked,
    seen,
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      await new Promise((done) => server.close(done))
    },
  }
}
