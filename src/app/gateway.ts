// What a process asks the gateway outside of any run.
import type { GatewayFetch } from '../core/ports/gateway.ts'
import { createGatewayFetch } from '../pomerium/fetch.ts'
import { listRoutes, type RouteList } from '../pomerium/routes.ts'
import type { RunResources } from '../runs/resources.ts'
import { createRequestLog } from '../store/attempts/requests.ts'
import type { Db } from '../store/postgres/db.ts'

/** Requests of an account to the gateway that belong to no run; each is written down. Undefined for an account that this process does not have. */
export function gatewayFetchFor(resources: RunResources, db: Db, account: string): GatewayFetch | undefined {
  const tokens = resources.accounts.get(account)
  const { dispatcher, maxResponseBytes } = resources.gateway
  return (
    tokens &&
    createGatewayFetch({
      dispatcher,
      account,
      tokens,
      runId: undefined,
      journal: createRequestLog(db),
      maxResponseBytes,
      redact: resources.redactor.redact,
    })
  )
}

/** The route list as an account of this process sees it. */
export async function routesOf(resources: RunResources, db: Db, account: string, signal: AbortSignal): Promise<RouteList | undefined> {
  const fetch = gatewayFetchFor(resources, db, account)
  const { url: gatewayUrl, routeHosts, timeoutMs } = resources.gateway
  const { redact } = resources.redactor
  return (
    fetch &&
    listRoutes({ fetch, gatewayUrl, routeHosts, account, redact, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) })
  )
}
