import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { serveHttp } from '../net/listen.ts'

const messageSchema = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z
    .looseObject({ name: z.string().optional(), arguments: z.record(z.string(), z.unknown()).optional(), uri: z.string().optional() })
    .optional(),
})

export interface ToolCall {
  id: string | number | undefined
  name: string
  arguments: Record<string, unknown>
}

/** Answers a tool call: a text, or nothing when it has written to `res` itself. */
export type Answer = (call: ToolCall, req: IncomingMessage, res: ServerResponse) => string | undefined | Promise<string | undefined>

/** An MCP server with the tools `act` (has an effect) and `look` (has none), which counts what reached it. */
export interface CountingServer extends AsyncDisposable {
  url: string
  /** Arguments of each call that took effect, in order. */
  effects: ToolCall[]
  /** JSON-RPC methods in order. */
  methods: string[]
  /** What it does from now on. */
  answer: Answer
  /** Resolves when the next call has reached it. */
  nextCall(): Promise<ToolCall>
  close(): Promise<void>
}

const tool = (name: string) => ({ name, description: name, inputSchema: { type: 'object', properties: { n: { type: 'integer' } } } })

export interface CountingMore {
  /** So many tools more, named spare_1 …, which do what `look` does. */
  spareTools?: number
  /** Each result of `look` names a resource; reading it is answered like a call of a tool named `read`. */
  resources?: boolean
}

export async function startCountingServer(
  initial: Answer = () => 'done',
  { spareTools = 0, resources = false }: CountingMore = {},
): Promise<CountingServer> {
  const tools = ['act', 'look', ...Array.from({ length: spareTools }, (_, i) => `spare_${i + 1}`)]
  const link = ({ name, arguments: { n } }: ToolCall) =>
    resources && name === 'look' ? [{ type: 'resource_link', uri: `counting://look/${String(n)}`, name: 'What was seen' }] : []
  const waiting: ((call: ToolCall) => void)[] = []
  const server: Omit<CountingServer, 'url'> = {
    effects: [],
    methods: [],
    answer: initial,
    nextCall: () => new Promise((done) => waiting.push(done)),
    close: () => http.close(),
    [Symbol.asyncDispose]: () => server.close(),
  }
  const json = (res: ServerResponse, body: unknown) =>
    void res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (req.method !== 'POST') return void res.writeHead(405).end()
    const { id, method, params } = messageSchema.parse(JSON.parse(await text(req)))
    server.methods.push(method)
    switch (method) {
      case 'initialize':
        return json(res, {
          jsonrpc: '2.0',
          id,
          result: {
            protocolVersion: '2025-06-18',
            capabilities: { tools: {}, ...(resources && { resources: {} }) },
            serverInfo: { name: 'counting', version: '1' },
          },
        })
      case 'tools/list':
        return json(res, { jsonrpc: '2.0', id, result: { tools: tools.map(tool) } })
      case 'tools/call': {
        const call = { id, name: params?.name ?? '', arguments: params?.arguments ?? {} }
        if (call.name === 'act') server.effects.push(call)
        for (const done of waiting.splice(0)) done(call)
        const answer = await server.answer(call, req, res)
        if (answer !== undefined) json(res, { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: answer }, ...link(call)] } })
        return
      }
      case 'resources/read': {
        const uri = params?.uri ?? ''
        const said = await server.answer({ id, name: 'read', arguments: { uri } }, req, res)
        return json(res, { jsonrpc: '2.0', id, result: { contents: [{ uri, text: said }] } })
      }
      default:
        res.writeHead(202).end()
    }
  }

  const http = await serveHttp(serve)
  return Object.assign(server, { url: http.url })
}

/** The route of a counting server, for the stand-in gateway. */
export const countingRoute = (server: CountingServer, extra: Record<string, unknown> = {}) => ({
  name: 'counting',
  from: 'https://counting.localhost.pomerium.io',
  to: server.url,
  kind: 'mcp-server' as const,
  policy: { allowUsers: ['svc-reports'] },
  ...extra,
})
