import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { serveHttp } from '../net/listen.ts'

const messageSchema = z.looseObject({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string().optional(),
  params: z
    .looseObject({ name: z.string().optional(), cursor: z.string().optional(), arguments: z.record(z.string(), z.unknown()).optional() })
    .optional(),
})

/** A request that reached the server. */
export interface Seen extends z.output<typeof messageSchema> {
  /** The JSON-RPC method; `answer` for an answer of the client; `GET` or `DELETE`. */
  kind: string
  headers: IncomingHttpHeaders
  /** As it came, byte for byte. */
  body: string
  res: ServerResponse
  /** Resolves when the exchange is over, whoever ended it. */
  closed: Promise<void>
  /** Answers with a JSON-RPC result. */
  result(result: unknown): void
  /** Answers with anything as JSON. */
  json(body: unknown, status?: number): void
  /** Begins an event stream; the function writes one event, with an id when one is given. */
  events(): (message: unknown, id?: string) => void
}

export type Serve = (seen: Seen) => void | Promise<void>

/** A hand-written MCP server whose every answer can be replaced, by kind of request. */
export interface ScriptedServer extends AsyncDisposable {
  url: string
  seen: Seen[]
  on: Record<string, Serve>
  /** Resolves with the nth request of a kind, also when it has come already. */
  arrived(kind: string, nth?: number): Promise<Seen>
}

export const aTool = (name: string, extra: Record<string, unknown> = {}) => ({
  name,
  description: `does ${name}`,
  inputSchema: { type: 'object', properties: { n: { type: 'integer' } } },
  ...extra,
})

export const textResult = (value: string) => ({ content: [{ type: 'text', text: value }] })

export const initializeResult = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'scripted', version: '1' },
}

/** An answer that the gateway makes itself, without the mark of an upstream's. */
export const byGateway =
  (serve: Serve): Serve =>
  (seen) => {
    seen.res.removeHeader('x-envoy-upstream-service-time')
    return serve(seen)
  }

const accepted: Serve = ({ res }) => void res.writeHead(202).end()
const refused: Serve = ({ res }) => void res.writeHead(405).end()

const defaults: Record<string, Serve> = {
  initialize: (seen) => seen.result(initializeResult),
  'notifications/initialized': accepted,
  'notifications/cancelled': accepted,
  answer: accepted,
  'tools/list': (seen) => seen.result({ tools: [aTool('act'), aTool('look')] }),
  'tools/call': (seen) => seen.result(textResult('done')),
  GET: refused,
  DELETE: refused,
}

/** `marked`: it stands behind a gateway that marks what an upstream says. */
export async function startScriptedServer(on: Record<string, Serve> = {}, { marked = true } = {}): Promise<ScriptedServer> {
  const seen: Seen[] = []
  const waiting = new Set<() => void>()
  const handlers = { ...on }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const closed = Promise.withResolvers<void>()
    if (marked) res.setHeader('x-envoy-upstream-service-time', '1')
    res.once('close', () => closed.resolve())
    const body = await text(req)
    const message = body === '' ? {} : messageSchema.parse(JSON.parse(body))
    const kind = req.method === 'POST' ? (message.method ?? 'answer') : (req.method ?? '')
    const json = (value: unknown, status = 200) =>
      void res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    const one: Seen = {
      ...message,
      kind,
      body,
      headers: req.headers,
      res,
      closed: closed.promise,
      json,
      result: (result) => json({ jsonrpc: '2.0', id: message.id, result }),
      events() {
        res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
        return (value, id) =>
          void res.write(
            `${id === undefined ? '' : `id: ${id}\n`}${value === undefined ? 'data:\n' : `data: ${JSON.stringify(value)}\n`}\n`,
          )
      },
    }
    seen.push(one)
    for (const wake of waiting) wake()
    await (handlers[kind] ?? defaults[kind] ?? accepted)(one)
  }

  const http = await serveHttp(serve)
  return {
    url: http.url,
    seen,
    on: handlers,
    arrived: (kind, nth = 1) =>
      new Promise((done) => {
        const look = () => {
          const found = seen.filter((one) => one.kind === kind)[nth - 1]
          if (!found) return
          waiting.delete(look)
          done(found)
        }
        waiting.add(look)
        look()
      }),
    [Symbol.asyncDispose]: http.close,
  }
}
