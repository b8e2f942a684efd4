/** One line of Pomerium's log that says what policy decided about a request. */
// @ts-nocheck

export interface AuthorizeEvent {
  lineDigest: string
  requestId: string
  time: Date
  method: string
  /** Without its port. */
  host: string
  path: string
  ip: string
  userId: string
  /** Undefined for a request without a valid token. */
  accountId: string | undefined
  mcpMethod: string | undefined
  mcpTool: string | undefined
  paramsDigest: string | undefined
  params: string | undefined
  runHeader: string | undefined
  allowed: boolean
  reasons: string[]
}
