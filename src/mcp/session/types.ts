import type { CallResult } from '../content.ts'
import type { ToolListing } from '../tools/listing.ts'

export interface CallContext {
  /** Its row is named by the row of the request. */
  toolCallId: string
  repeatable: boolean
  written: Promise<void>
  signal: AbortSignal
}

/** The answer to a tool call: a result, or the server's JSON-RPC error, which the model is told. */
export type CallAnswer = { kind: 'result'; result: CallResult } | RpcError

export interface RpcError {
  kind: 'rpc-error'
  code: number
  message: string
  data: unknown
}

/** The answer to `resources/read`: all parts of the resource as text. */
export type ReadAnswer = { kind: 'text'; text: string } | RpcError

/** What a server says of itself when a session opens. All of it is foreign. */
export interface ServerAbout {
  title: string | undefined
  instructions: string | undefined
  /** It offers resources to be read. */
  hasResources: boolean
}

/** One MCP session with one server. Not reconnected: when it is lost, open another. */
export interface McpSession {
  /** `allow`: patterns of the tools that are wanted; the others are only named. */
  listTools(allow: readonly string[], signal: AbortSignal): Promise<ToolListing>
  about: ServerAbout
  /** `args` is JSON text, which is sent as it stands. */
  call(tool: string, args: string, context: CallContext): Promise<CallAnswer>
  /** Reads a resource. */
  read(uri: string, context: CallContext): Promise<ReadAnswer>
  /** Ends the session with DELETE where there is one. Never throws; can be called twice. */
  close(): Promise<void>
}
