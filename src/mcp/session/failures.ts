import { McpError } from '@modelcontextprotocol/sdk/types.js'
import { Failure, messageOf } from '../../core/failure.ts'
import { SessionLost } from '../../core/ports/gateway.ts'
import type { RpcError } from './types.ts'

/** The failure of a request that was sent and whose answer is lost: a tool call may have run. */
export function lostAnswer(server: string, tool: string | undefined, why: string, cause?: unknown): Failure {
  if (tool === undefined) return new Failure({ code: 'UPSTREAM_UNAVAILABLE', message: `A request to ${server} ${why}.`, server, cause })
  return new Failure({ code: 'OUTCOME_UNKNOWN', message: `The call of ${tool} on ${server} ${why}: it may have run.`, server, cause })
}

/** The failure of a request whose stream was cut and cannot be taken up again. */
export const notResumed = (server: string, tool: string | undefined): Failure =>
  lostAnswer(server, tool, 'was cut off and could not be resumed')

/** Errors the SDK raises itself: time-out and closed connection. A server may use the same codes, with words of its own. */
export const isLocalError = (error: McpError) =>
  /^MCP error -3200[01]: (Connection closed|Request was cancelled|Request timed out|Maximum total timeout exceeded)$/.test(error.message)

/** The failure of a request that opens a session or lists what is there: nothing has run. */
export function setupFailure(server: string, method: string, error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof SessionLost && error.cause instanceof Failure) return error.cause
  const lost = error instanceof SessionLost || (error instanceof McpError && isLocalError(error))
  const text = messageOf(error).slice(0, 300)
  return new Failure({
    code: lost ? 'UPSTREAM_UNAVAILABLE' : 'UPSTREAM_ERROR',
    message: `${server} did not answer ${method} as an MCP server does: ${text}.`,
    server,
    cause: error,
  })
}

/** The server's own words of a JSON-RPC error. SDK: it puts a prefix of its own in front of them. */
export function rpcErrorOf({ code, message, data }: McpError): RpcError {
  const prefix = `MCP error ${code}: `
  return { kind: 'rpc-error', code, message: message.startsWith(prefix) ? message.slice(prefix.length) : message, data }
}
