import { Failure } from '../core/failure.ts'
import type { GatewayFetch } from '../core/ports/gateway.ts'
import type { Route } from './routes.ts'

export type ConnectAnswer =
  | { kind: 'connected' }
  /** Where a person agrees. A secret: whoever completes it decides whose data the account sees. */
  | { kind: 'link'; link: string }

/** Asks for the consent page of a server's upstream, as the account. `redirectUrl` must be on an `mcp.client` route. */
export async function askConnect({
  fetch,
  route,
  redirectUrl,
}: {
  fetch: GatewayFetch
  route: Route
  redirectUrl: string
}): Promise<ConnectAnswer> {
  const url = new URL('/.pomerium/mcp/connect', route.url)
  url.searchParams.set('redirect_url', redirectUrl)
  const response = await fetch(url, { headers: { accept: 'text/html' } })
  await response.body?.cancel()
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
export async function disconnect({ fetch, route }: { fetch: GatewayFetch; route: Route }): Promise<void> {
  const url = new URL('/.pomerium/mcp/routes/disconnect', route.url)
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ routes: [new URL(route.url).origin] }),
  })
  await response.body?.cancel()
  if (response.status !== 200)
    throw new Failure({ code: 'UPSTREAM_ERROR', message: `Disconnecting ${route.name} was answered with HTTP ${response.status}.` })
}
