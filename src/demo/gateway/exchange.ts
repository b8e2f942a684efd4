import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DemoAccount } from './accounts.ts'
import type { DemoPolicy } from './policy.ts'

export interface DemoRoute {
  name: string
  description?: string
  /** Origin that clients use, such as https://labor.localhost.pomerium.io. */
  from: string
  /** Origin of the upstream. */
  to: string
  kind: 'mcp-server' | 'mcp-client' | 'plain'
  path?: string
  maxRequestBytes?: number
  policy: DemoPolicy
  /** The upstream gets a signed assertion of who calls. */
  passIdentityHeaders?: boolean
  /** As where an operator has switched off Envoy's mark of what an upstream says. */
  withoutMarks?: boolean
  /** The upstream wants its own OAuth consent: where a person gives it. */
  upstreamOAuth?: { authorizationUrl: string }
}

export interface Exchange {
  req: IncomingMessage
  res: ServerResponse
  url: URL
  requestId: string
  body: Buffer
  account: DemoAccount | undefined
}

export function answer(
  { res, requestId }: Exchange,
  status: number,
  contentType: string | undefined,
  body: string,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, {
    ...(contentType !== undefined && { 'content-type': contentType }),
    'x-request-id': requestId,
    'content-length': Buffer.byteLength(body),
    ...headers,
    server: 'envoy',
  })
  res.end(body)
}

export const envoyError = (requestId: string, status: string, statusText: string) =>
  JSON.stringify({ requestId, status, statusText }, null, 2)
