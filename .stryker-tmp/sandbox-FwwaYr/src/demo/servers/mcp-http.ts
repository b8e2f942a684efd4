// @ts-nocheck
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'

/** A running MCP server on a loopback port. */
export interface RunningServer extends AsyncDisposable {
  url: string
}

/** Anything that can be connected to a transport: an `McpServer` or a low-level `Server`. */
export interface Connectable {
  connect(transport: Transport): Promise<void>
  close(): Promise<void>
}

/** Serves MCP over streamable HTTP: with sessions and event streams, or stateless with JSON answers. `close` ends what `create` opened. */
export async function startMcpHttp(options: {
  create: () => Connectable
  sessions: boolean
  close?: () => void
  host?: string
  port?: number
}): Promise<RunningServer> {
  const sessions = new Map<string, { transport: StreamableHTTPServerTransport; server: Connectable }>()

  async function open(): Promise<StreamableHTTPServerTransport> {
    const server = options.create()
    const transport: StreamableHTTPServerTransport = options.sessions
      ? new StreamableHTTPServerTransport({
          sessionIdGenerator: () => randomUUID(),
          onsessioninitialized: (id) => void sessions.set(id, { transport, server }),
          onsessionclosed: (id) => void sessions.delete(id),
        })
      : new StreamableHTTPServerTransport({ enableJsonResponse: true })
    await server.connect(transport)
    return transport
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (!options.sessions) {
      if (req.method !== 'POST') return refuse(res, 405, 'Method not allowed.', { allow: 'POST' })
      const transport = await open()
      res.once('close', () => void transport.close())
      return transport.handleRequest(req, res)
    }
    const id = req.headers['mcp-session-id']
    const transport = typeof id === 'string' ? sessions.get(id)?.transport : req.method === 'POST' ? await open() : undefined
    if (!transport) return refuse(res, 400, 'Bad Request: No valid session ID provided')
    return transport.handleRequest(req, res)
  }

  const http = createServer((req, res) => void serve(req, res).catch(() => res.destroy()))
  http.requestTimeout = 0
  http.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    async [Symbol.asyncDispose]() {
      await Promise.all([...sessions.values()].map(({ server }) => server.close()))
      http.closeAllConnections()
      await new Promise((done) => http.close(done))
      options.close?.()
    },
  }
}

function refuse(res: ServerResponse, status: number, message: string, headers: Record<string, string> = {}): void {
  res
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message }, id: null }))
}
