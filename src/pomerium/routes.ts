import { z } from 'zod'
import { Failure, messageOf } from '../core/failure.ts'
import type { GatewayFetch } from '../core/ports/gateway.ts'
import { ROUTES_PATH, tokenRejected } from './unauthorized.ts'

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

/**
 * The MCP routes that Pomerium serves, whether policy allows them or not (measured: the list does not depend on policy). Throws
 * `TOKEN_REJECTED` on 401, `GATEWAY_UNREACHABLE` when what answers is not Pomerium.
 */
export async function listRoutes(options: {
  fetch: GatewayFetch
  gatewayUrl: string
  account: string
  signal?: AbortSignal | undefined
}): Promise<Map<string, Route>> {
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
  const parsed = listSchema.safeParse(parseJson(text))
  if (!parsed.success) throw notPomerium('the route list is not the JSON that was expected', 'never')
  const routes = new Map<string, Route>()
  for (const { name, url: address, description, connected } of parsed.data.servers) {
    // A route's address decides where the token goes: never from https to http.
    if (URL.canParse(address) && ['https:', url.protocol].includes(new URL(address).protocol))
      routes.set(name, { name, url: address, description: description ?? undefined, connected: connected ?? false })
  }
  return routes
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
