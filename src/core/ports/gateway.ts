/** What a gateway request is for: written to its row, and needed to classify its response. */
export interface GatewayContext {
  signal?: AbortSignal | undefined
  /** Set for a request to an MCP server: then an answer that is not a result is thrown as the `Failure` it stands for. */
  mcp?: McpContext | undefined
}

export interface McpContext {
  server: string
  rpcMethod: string | undefined
  /** Set for a tool call: it may have effects, so an answer that is lost is `OUTCOME_UNKNOWN`. */
  tool?: string | undefined
  /** The job says that the call may be made twice without harm: then what the server says of it is believed. */
  repeatable?: boolean | undefined
  toolCallId?: string | undefined
  hadSession: boolean
  /** Awaited, with the request's own row, before a byte is sent. */
  written?: Promise<void> | undefined
}

export interface GatewayInit {
  method?: string
  headers?: Headers | Record<string, string>
  body?: string
}

/** One HTTP request to Pomerium as the attempt's account: identified, journaled, capped, never redirected. */
export type GatewayFetch = (url: string | URL, init: GatewayInit, context?: GatewayContext) => Promise<Response>

/** A session that the server no longer knows, or that it says so of. What it said otherwise, where it may have meant that, is the cause. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost'
}

/** The cause of a failure that says that its request, to the gateway or a model, did not run. Of a call that may not be made twice, only where it is proved: by us, or by the gateway's own word. */
export class NotRun extends Error {
  override readonly name = 'NotRun'
}

/** True when sending the request again repeats nothing. */
export function isNotRun(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof NotRun
}
