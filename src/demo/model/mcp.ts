import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport, StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { McpError } from '@modelcontextprotocol/sdk/types.js'
import type OpenAI from 'openai'
import { Agent, buildConnector, fetch } from 'undici'

/** How the provider gets to the gateway: where to connect to whatever a host resolves to, and whom to trust. */
export interface Reach {
  address: string
  ca: string
}

export interface McpToolParam {
  server_label: string
  server_url: string
  headers: Record<string, string>
  /** A token that is sent as a bearer's. */
  authorization?: string | undefined
  allowed_tools: string[]
}

export type McpCallError = { type: string; code?: number; message?: string; content?: unknown }

/** What an executed call gave. */
export type McpOutcome = { output: string } | { error: McpCallError }

/** A server that the provider was handed, opened with exactly that URL and those headers. */
export interface OpenServer {
  label: string
  tools: OpenAI.Responses.ResponseOutputItem.McpListTools['tools']
  call(name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<McpOutcome>
  close(): Promise<void>
}

/** The listing failed: HTTP status of the server, when there was one. */
export class ListingError extends Error {
  override readonly name = 'ListingError'
  readonly label: string
  readonly status: number | undefined

  constructor(label: string, status: number | undefined, cause: unknown) {
    super(`cannot list the tools of ${label}`, { cause })
    this.label = label
    this.status = status
  }
}

const CALL_TIMEOUT_MS = 600_000

/** Makes the connections of a provider to MCP servers. */
export function createMcpReach(reach: Reach | undefined) {
  const agent = reach ? agentFor(reach) : new Agent()

  async function open(param: McpToolParam, signal: AbortSignal): Promise<OpenServer> {
    const client = new Client({ name: 'scripted-provider', version: '1.0.0' }, { capabilities: {} })
    const transport = new StreamableHTTPClientTransport(new URL(param.server_url), {
      requestInit: {
        headers: { ...param.headers, ...(param.authorization !== undefined && { authorization: `Bearer ${param.authorization}` }) },
      },
      // oxlint-disable-next-line no-unsafe-type-assertion -- undici's types and the global ones differ in name only
      fetch: ((url: string, init: object) => fetch(url, { ...init, dispatcher: agent })) as unknown as typeof globalThis.fetch,
    })
    try {
      await client.connect(transport, { signal })
      const { tools } = await client.listTools({}, { signal })
      return {
        label: param.server_label,
        tools: tools
          .filter(({ name }) => param.allowed_tools.includes(name))
          .map(({ name, description, inputSchema }) => ({ name, description: description ?? null, input_schema: inputSchema })),
        call: (name, args, callSignal) => execute(client, name, args, callSignal),
        async close() {
          await transport.terminateSession().catch(() => {})
          await client.close()
        },
      }
    } catch (error) {
      await client.close().catch(() => {})
      throw new ListingError(param.server_label, error instanceof StreamableHTTPError ? error.code : undefined, error)
    }
  }

  return { open, close: () => agent.destroy() }
}

async function execute(client: Client, name: string, args: Record<string, unknown>, signal: AbortSignal): Promise<McpOutcome> {
  try {
    const result = await client.callTool({ name, arguments: args }, undefined, { signal, timeout: CALL_TIMEOUT_MS })
    if (result.isError) return { error: { type: 'mcp_tool_execution_error', content: result.content } }
    const blocks = Array.isArray(result.content) ? result.content : []
    const texts = blocks.map((block: { text?: string }) => block.text ?? `[${JSON.stringify(block).length} characters]`)
    return { output: [...texts, ...(result.structuredContent ? [JSON.stringify(result.structuredContent)] : [])].join('\n') }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof McpError) return { error: { type: 'mcp_protocol_error', code: error.code, message: error.message } }
    const status = error instanceof StreamableHTTPError ? error.code : undefined
    return { error: { type: 'http_error', code: status ?? 0, message: error instanceof Error ? error.message : String(error) } }
  }
}

function agentFor({ address, ca }: Reach): Agent {
  const connector = buildConnector({ ca })
  const [hostname = '', port = ''] = address.split(':')
  return new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (target, done) =>
      connector({ ...target, hostname, port, host: address, servername: target.servername || target.hostname }, done),
  })
}
