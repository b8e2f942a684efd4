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

/** What the worker itself asks of a server: without a row of a tool call, and with the time of a list. */
export interface SetupContext {
  signal: AbortSignal
}

/** The answer to `resources/read`: all parts of the resource, as blocks of a result. */
export type ReadAnswer = { kind: 'blocks'; blocks: unknown[] } | RpcError

/** The answer to `prompts/get`: all its messages, as text. */
export type PromptAnswer = { kind: 'text'; text: string } | RpcError

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
  /** Reads a resource, for the model or for the worker. */
  read(uri: string, context: CallContext | SetupContext): Promise<ReadAnswer>
  /** Asks for a prompt that the server offers. */
  prompt(name: string, args: Record<string, string>, context: SetupContext): Promise<PromptAnswer>
  /** Ends the session with DELETE where there is one. Never throws; can be called twice. */
  close(): Promise<void>
}
