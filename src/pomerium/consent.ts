import { Failure } from '../core/failure.ts'
import type { GatewayFetch } from '../core/ports/gateway.ts'
import type { Route } from './routes.ts'
import { withTimeout } from './timeout.ts'

export type ConnectAnswer =
  | { kind: 'connected' }
  /** Where a person agrees. A secret: whoever completes it decides whose data the account sees. */
  | { kind: 'link'; link: string }

/** A route, as an account asks it. */
export interface OfRoute {
  fetch: GatewayFetch
  route: Route
}

/** Pomerium asks the server's authorization server before it answers. */
const ANSWER_MS = 30_000

/** The head of an answer; nobody reads the rest. */
async function answered(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<Response>): Promise<Response> {
  return withTimeout(signal, ANSWER_MS, 'Pomerium', async (ended) => {
    const response = await ask(ended)
    await response.body?.cancel()
    return response
  })
}

/** Asks for the consent page of a server's upstream, as the account. `redirectUrl` must be on an `mcp.client` route. */
export async function askConnect(
  { fetch, route }: OfRoute,
  { redirectUrl, signal }: { redirectUrl: string; signal: AbortSignal },
): Promise<ConnectAnswer> {
  const url = new URL('/.pomerium/mcp/connect', route.url)
  url.searchParams.set('redirect_url', redirectUrl)
  const response = await answered(signal, (ended) => fetch(url, { headers: { accept: 'text/html' } }, { signal: ended }))
  const { status } = response
  const location = response.headers.get('location')
  const fail = (message: string, cure: string) =>
    new Failure({
      code: 'CONNECT_REFUSED',
      message,
      cure,
      requestId: response.headers.get('x-request-id') ?? undefined,
      server: route.name,
    })
  if (status === 400)
    throw fail(
      `Pomerium does not take ${redirectUrl} as return address.`,
      'Use an https address on a route with mcp: { client: {} }, with --redirect.',
    )
  if (status === 401 || (status === 302 && location?.includes('/.pomerium/sign_in')))
    throw new Failure({ code: 'TOKEN_REJECTED', message: 'Pomerium does not accept the account’s token.' })
  if (status !== 302 || location === null || !URL.canParse(location))
    throw fail(
      `The connect address of ${route.name} was answered with HTTP ${status}.`,
      'Give the route an upstream_oauth2, or a server that needs no consent.',
    )
  const target = new URL(location)
  if (target.origin !== new URL(redirectUrl).origin) return { kind: 'link', link: location }
  const why = target.searchParams.get('error')
  if (why !== null)
    throw fail(
      `Pomerium could not find out how ${route.name} wants to be connected: ${why.slice(0, 200)}.`,
      'Check upstream_oauth2 of the route.',
    )
  return { kind: 'connected' }
}

/** Takes back what a person agreed to for the account’s user on this server. */
export async function disconnect({ fetch, route }: OfRoute, signal: AbortSignal): Promise<void> {
  const url = new URL('/.pomerium/mcp/routes/disconnect', route.url)
  const init = {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ routes: [new URL(route.url).origin] }),
  }
  const response = await answered(signal, (ended) => fetch(url, init, { signal: ended }))
  if (response.status !== 200)
    throw new Failure({ code: 'UPSTREAM_ERROR', message: `Disconnecting ${route.name} was answered with HTTP ${response.status}.` })
}
