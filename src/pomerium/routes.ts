import { z } from 'zod'
import { Failure, messageOf } from '../core/failure.ts'
import type { GatewayFetch } from '../core/ports/gateway.ts'
import { isOfDomain } from '../lib/net/domain.ts'
import { redactTexts } from '../lib/redact.ts'
import { matchesWildcard } from '../lib/wildcard.ts'
import { ROUTES_PATH, tokenRejected } from './unauthorized.ts'
import { tryParse } from '../lib/json/parse.ts'

/** What cures a route that is listed and not used. */
export const CORRECT_ROUTE = 'Correct the route, or name its host in gateway.routeHosts if the account’s token may go there.'

const listSchema = z.object({
  servers: z.array(
    z.object({
      name: z.string(),
      url: z.string(),
      description: z.string().nullish(),
      connected: z.boolean().nullish(),
    }),
  ),
})

export interface Route {
  name: string
  url: string
  /** What the operator wrote at the route. */
  description: string | undefined
  /** An upstream token is stored for the account. Says nothing about a server that needs none (measured). */
  connected: boolean
}

export interface RouteList {
  routes: ReadonlyMap<string, Route>
  /** Routes that may not be used, by name, each with its reason: their address decides where the token goes. */
  leftOut: ReadonlyMap<string, string>
}

/** The route of that name. Throws `ROUTE_UNKNOWN` when there is none that may be used. */
export function requireRoute({ routes, leftOut }: RouteList, name: string): Route {
  const route = routes.get(name)
  if (route) return route
  const why = leftOut.get(name)
  throw new Failure(
    why === undefined
      ? {
          code: 'ROUTE_UNKNOWN',
          message: `Pomerium lists no MCP route ${name}; it lists ${[...routes.keys()].toSorted().join(', ') || 'none'}.`,
          server: name,
        }
      : {
          code: 'ROUTE_UNKNOWN',
          message: `The MCP route ${name} that Pomerium lists is not used: ${why}.`,
          cure: CORRECT_ROUTE,
          server: name,
        },
  )
}

/**
 * The MCP routes that Pomerium serves, whether policy allows them or not (measured: the list does not depend on policy). Throws
 * `TOKEN_REJECTED` on 401, `GATEWAY_UNREACHABLE` when what answers is not Pomerium.
 */
export async function listRoutes(options: {
  fetch: GatewayFetch
  gatewayUrl: string
  /** Patterns of hosts beside those of the gateway's own domain. */
  routeHosts: readonly string[]
  account: string
  /** Takes secrets out of the list: addresses in it are written down. */
  redact: (text: string) => string
  signal?: AbortSignal | undefined
}): Promise<RouteList> {
  const url = new URL(ROUTES_PATH, options.gatewayUrl)
  const response = await options.fetch(url, { headers: { accept: 'application/json' } }, { signal: options.signal })
  const requestId = response.headers.get('x-request-id') ?? undefined
  const text = await response.text().catch((cause: unknown) => {
    if (cause instanceof Failure || options.signal?.aborted) throw cause
    throw new Failure({
      code: 'GATEWAY_UNREACHABLE',
      message: `The route list of ${url.origin} broke off: ${messageOf(cause)}.`,
      requestId,
      cause,
    })
  })
  if (response.status === 401) throw tokenRejected(options.account, requestId)
  const notPomerium = (why: string, retry: 'later' | 'never') =>
    new Failure({
      code: 'GATEWAY_UNREACHABLE',
      retry,
      message: `${url.origin} does not answer like Pomerium: ${why}.`,
      cure: 'Check gateway.url and gateway.address.',
      requestId,
    })
  if (response.status >= 500) throw notPomerium(`the route list is HTTP ${response.status}`, 'later')
  if (response.status !== 200) throw notPomerium(`the route list is HTTP ${response.status}`, 'never')
  const parsed = listSchema.safeParse(redactTexts(tryParse(text), options.redact))
  if (!parsed.success) throw notPomerium('the route list is not the JSON that was expected', 'never')
  const routes = new Map<string, Route>()
  const leftOut = new Map<string, string>()
  for (const { name, url: address, description, connected } of parsed.data.servers) {
    const why = whyNot(address, url, options.routeHosts)
    if (why === undefined) routes.set(name, { name, url: address, description: description ?? undefined, connected: connected ?? false })
    else leftOut.set(name, why)
  }
  return { routes, leftOut }
}

/** Why the token may not go to the address. */
/** A host that the gateway serves: of the domain of its own, or named by the configuration. */
export const isHostOfGateway = (hostname: string, gatewayHostname: string, routeHosts: readonly string[]): boolean =>
  isOfDomain(hostname, gatewayHostname) || routeHosts.some((pattern) => matchesWildcard(pattern.toLowerCase(), hostname))

function whyNot(address: string, gateway: URL, routeHosts: readonly string[]): string | undefined {
  if (!URL.canParse(address)) return 'its address is no URL'
  const { protocol, hostname, username, password } = new URL(address)
  if (protocol !== 'https:' && protocol !== gateway.protocol) return `its address is not ${gateway.protocol}//`
  if (username !== '' || password !== '') return 'its address holds a user or a password'
  if (isHostOfGateway(hostname, gateway.hostname, routeHosts)) return undefined
  return `its host ${hostname} is neither of the domain of ${gateway.hostname} nor in gateway.routeHosts`
}
