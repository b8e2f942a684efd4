import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { Agent, buildConnector, request, type Dispatcher } from 'undici'
import { z } from 'zod'
import { listen } from '../net/listen.ts'

/** What the proxy sees of a request. */
export interface Seen {
  method: string
  url: string
  headers: Record<string, string | string[] | undefined>
  body: string
  /** Of a JSON-RPC body. */
  rpcMethod: string | undefined
  tool: string | undefined
  id: string | number | undefined
  /** How many requests of this JSON-RPC method came before, or of this path when there is none. */
  before: number
}

/** What happens to a request instead of passing it on. */
export type ProxyFault =
  | { kind: 'answer'; status: number; headers?: Record<string, string>; body?: string }
  /** The connection is reset and the request goes nowhere. */
  | { kind: 'reset-before' }
  /** The request is passed on, and the connection is reset in place of its answer. */
  | { kind: 'reset-after' }
  /** Passed on; of the answer only so many bytes come, then the connection is reset. */
  | { kind: 'cut'; bytes: number }
  /** Passed on once this resolves. */
  | { kind: 'hold'; until: Promise<unknown> }
  /** Passed on, and another text comes as its answer. */
  | { kind: 'rewrite'; rewrite: (body: string) => string }

export interface FaultProxy extends AsyncDisposable {
  port: number
  address: string
  url: string
  /** Where requests are passed on to; without an origin, to the host that they name. */
  target: { origin?: string; dispatcher?: Dispatcher }
  /** Judges each request; undefined passes it on. */
  intercept: (seen: Seen) => ProxyFault | undefined
  seen: Seen[]
  /** Refuses connections, and ends those that are open. */
  close(): Promise<void>
  /** Listens again, on the same port. */
  open(): Promise<void>
}

const rpcSchema = z.looseObject({
  method: z.string(),
  id: z.union([z.string(), z.number()]).optional(),
  params: z.looseObject({ name: z.string().optional() }).optional(),
})

function rpcOf(body: string) {
  try {
    const parsed = rpcSchema.safeParse(JSON.parse(body))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** An HTTP proxy that does to chosen requests what networks and servers do. With `tls` it speaks HTTPS. */
export async function startFaultProxy(
  options: { tls?: { key: string; cert: string }; target?: FaultProxy['target'] } = {},
): Promise<FaultProxy> {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 1000 })
  const counts = new Map<string, number>()
  const sockets = new Set<Socket>()

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await text(req)
    const rpc = rpcOf(body)
    const key = rpc?.method ?? req.url ?? ''
    const before = counts.get(key) ?? 0
    counts.set(key, before + 1)
    const { method = 'GET', url = '/', headers } = req
    const seen: Seen = { method, url, headers, body, rpcMethod: rpc?.method, tool: rpc?.params?.name, id: rpc?.id, before }
    proxy.seen.push(seen)
    const fault = proxy.intercept(seen)
    if (fault?.kind === 'reset-before') return reset(res)
    if (fault?.kind === 'answer') return void res.writeHead(fault.status, fault.headers).end(fault.body ?? '')
    if (fault?.kind === 'hold') await fault.until
    await passOn(seen, res, fault)
  }

  async function passOn({ method, url, headers, body }: Seen, res: ServerResponse, fault: ProxyFault | undefined): Promise<void> {
    const abort = new AbortController()
    res.once('close', () => abort.abort())
    const { connection: _, 'transfer-encoding': __, 'content-length': ___, ...sent } = headers
    const { origin, dispatcher = agent } = proxy.target
    const answer = await request(new URL(url, origin ?? `https://${String(headers['host'])}`), {
      dispatcher,
      method: method === 'DELETE' || method === 'GET' ? method : 'POST',
      headers: sent,
      body: body === '' ? null : body,
      signal: abort.signal,
    })
    if (fault?.kind === 'reset-after') {
      await answer.body.text()
      return reset(res)
    }
    const { connection: ____, 'keep-alive': _____, 'transfer-encoding': ______, ...back } = answer.headers
    if (fault?.kind === 'rewrite') {
      const { 'content-length': _______, ...rest } = back
      return void res.writeHead(answer.statusCode, rest).end(fault.rewrite(await answer.body.text()))
    }
    res.writeHead(answer.statusCode, back)
    res.flushHeaders()
    if (fault?.kind === 'cut') {
      const whole = Buffer.from(await answer.body.arrayBuffer())
      res.write(whole.subarray(0, fault.bytes), () => reset(res))
      return
    }
    await pipeline(answer.body, res).catch(() => reset(res))
  }

  const handle = (req: IncomingMessage, res: ServerResponse) => void serve(req, res).catch(() => res.destroy())
  const server = options.tls ? createHttps(options.tls, handle) : createHttp(handle)
  server.requestTimeout = 0
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const port = await listen(server)
  const proxy: FaultProxy = {
    port,
    address: `127.0.0.1:${port}`,
    url: `${options.tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    target: options.target ?? { origin: 'http://127.0.0.1:9' },
    intercept: () => undefined,
    seen: [],
    async close() {
      if (!server.listening) return
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
    async open() {
      await listen(server, port)
    },
    async [Symbol.asyncDispose]() {
      await proxy.close()
      await agent.destroy()
    },
  }
  return proxy
}

/** Ends a connection at once. A TLS socket cannot be reset; it goes without its farewell, which is the same to a client. */
function reset({ socket }: ServerResponse): void {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket?.resetAndDestroy()
}

/** A dispatcher that reaches the stand-in gateway as Nightshift does: by its address, with its certificate. */
export function reachGateway(gateway: { address: string }, ca: string): Agent {
  const [hostname = '', port = ''] = gateway.address.split(':')
  const connector = buildConnector({ ca })
  return new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (target, done) =>
      connector({ ...target, hostname, port, host: gateway.address, servername: target.servername || target.hostname }, done),
  })
}
