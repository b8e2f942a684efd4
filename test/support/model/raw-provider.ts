import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { serveHttp } from '../net/listen.ts'

const bodySchema = z.looseObject({
  input: z.unknown(),
  stream: z.boolean().optional(),
  background: z.boolean().optional(),
  max_tool_calls: z.number().optional(),
  tools: z.array(z.looseObject({ server_label: z.string() })).optional(),
})
export type RawBody = z.output<typeof bodySchema>

type Item = Record<string, unknown>

/** One request to the provider, and the ways to answer it. Nothing is sent that was not asked for. */
export interface RawExchange {
  body: RawBody
  path: string
  req: IncomingMessage
  res: ServerResponse
  /** Sends an event; the stream is opened with the first one. */
  event(type: string, fields?: object): void
  /** `data:` lines as they are. */
  raw(line: string): void
  json(value: unknown, status?: number): void
  /** Really calls a tool of the server, beside any gateway. */
  call(name: string, args: object): Promise<string>
  /** The answer as an object: in progress, or with these fields. */
  response(output: readonly Item[], fields?: object): Item
}

export interface RawProvider extends AsyncDisposable {
  url: string
  asked: RawBody[]
  /** Requests that are no question: method and path. */
  others: string[]
}

export interface RawOptions {
  /** Where the tools are. */
  server: () => string
  /** Answers the nth question, from 1. */
  answer: (exchange: RawExchange, nth: number) => unknown
  /** Answers any other request. */
  other?: (exchange: RawExchange) => unknown
}

/** A provider behind the Responses API over plain HTTP: what it sends, in which order, and what it does meanwhile is the test's. */
export async function startRawProvider({ server, answer, other }: RawOptions): Promise<RawProvider> {
  const asked: RawBody[] = []
  const others: string[] = []
  const http = await serveHttp(async (req, res) => {
    const sent = await text(req)
    const body = bodySchema.parse(sent === '' ? { input: null } : JSON.parse(sent))
    const path = (req.url ?? '').replace(/^\/v1/, '')
    let sequence = 0
    const open = () => {
      if (!res.headersSent) res.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': `req_${asked.length}` })
    }
    const exchange: RawExchange = {
      body,
      path,
      req,
      res,
      event(type, fields = {}) {
        open()
        res.write(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`)
      },
      raw(line) {
        open()
        res.write(`${line}\n\n`)
      },
      json: (value, status = 200) =>
        void res.writeHead(status, { 'content-type': 'application/json', 'x-request-id': 'req_json' }).end(JSON.stringify(value)),
      async call(name, args) {
        const request = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args } }
        const given = await fetch(server(), {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(request),
        })
        return resultSchema.parse(await given.json()).result.content[0].text
      },
      response: (output, fields = {}) => ({
        id: 'resp_1',
        object: 'response',
        model: 'm-1',
        status: 'completed',
        output,
        usage: { input_tokens: 10, output_tokens: 5 },
        ...fields,
      }),
    }
    if (req.method === 'POST' && path === '/responses') await answer(exchange, asked.push(body))
    else {
      others.push(`${req.method} ${path}`)
      if (other) await other(exchange)
      else exchange.json({ error: { message: 'no' } }, 404)
    }
  })
  return { url: `${http.url}/v1`, asked, others, [Symbol.asyncDispose]: http.close }
}

const resultSchema = z.object({ result: z.object({ content: z.tuple([z.object({ text: z.string() })]) }) })

/** Items of an answer. */
export const listed = { type: 'mcp_list_tools', id: 'mcpl_1', server_label: 'counting', tools: [{ name: 'act', input_schema: {} }] }
export const mcpCall = (n: number, more: object = {}): Item => ({
  type: 'mcp_call',
  id: `mcp_${n}`,
  server_label: 'counting',
  name: 'act',
  arguments: JSON.stringify({ n }),
  status: 'completed',
  output: 'done',
  error: null,
  ...more,
})
export const message = (said: string, more: object = {}): Item => ({
  type: 'message',
  id: `msg_${said.length}`,
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text: said, annotations: [] }],
  ...more,
})
