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

/** The server no longer knows the session, so it did not run the request. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost'
}

/** The cause of a failure whose request the gateway or the server provably did not run. */
export class NotRun extends Error {
  override readonly name = 'NotRun'
}

/** True when sending the request again repeats nothing. */
export function isNotRun(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof NotRun
}
