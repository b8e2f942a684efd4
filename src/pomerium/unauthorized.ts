import { Failure } from '../core/failure.ts'
import { NotRun, type GatewayFetch } from '../core/ports/gateway.ts'

/** The route list: on each host of the gateway, whatever policy says. */
export const ROUTES_PATH = '/.pomerium/mcp/routes'

export interface Unauthorized {
  fetch: GatewayFetch
  /** Any address of the gateway. */
  gatewayUrl: string | URL
  account: string
  server: string
  /** Pomerium's id of the request that got the 401. */
  requestId?: string | undefined
  signal?: AbortSignal | undefined
}

/**
 * What a 401 of an MCP route means: `TOKEN_REJECTED` when the route list answers 401 too, else `CONNECTION_REQUIRED`, since the upstream's own consent is
 * missing (measured). Throws what asking for the list throws. The other causes of a 401 cannot come here: bodies over the route's limit are never sent, and a
 * GET that policy denies is no call.
 */
export async function explainUnauthorized(about: Unauthorized): Promise<Failure> {
  const { fetch, gatewayUrl, account, server, requestId, signal } = about
  const list = await fetch(new URL(ROUTES_PATH, gatewayUrl), { headers: { accept: 'application/json' } }, { signal })
  await list.body?.cancel()
  if (list.status === 401) return tokenRejected(account, requestId, server)
  if (list.status >= 500)
    return new Failure({
      code: 'GATEWAY_UNREACHABLE',
      message: `Server ${server} answered HTTP 401, and the route list that would say why is HTTP ${list.status}.`,
      requestId,
      server,
      cause: new NotRun('401'),
    })
  return new Failure({
    code: 'CONNECTION_REQUIRED',
    message: `Server ${server} needs a person to connect it for account ${account}.`,
    requestId,
    server,
    cause: new NotRun('401'),
  })
}

/** The failure of a token that Pomerium does not accept. */
export const tokenRejected = (account: string, requestId: string | undefined, server?: string): Failure =>
  new Failure({
    code: 'TOKEN_REJECTED',
    message: `Pomerium rejected the token of account ${account} (request ${requestId ?? 'without id'}).`,
    requestId,
    server,
    cause: new NotRun('401'),
  })
