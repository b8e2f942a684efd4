import type { Actor } from '../core/acts.ts'
import { Failure } from '../core/failure.ts'
import type { GatewayFetch } from '../core/ports/gateway.ts'
import type { Waker } from '../core/ports/wake.ts'
import { pause } from '../lib/time/pause.ts'
import { askConnect, disconnect, type OfRoute } from '../pomerium/consent.ts'
import { requireRoute, type RouteList } from '../pomerium/routes.ts'
import type { Db } from '../store/postgres/db.ts'
import { resumeWaiting } from '../store/waiting/waiting.ts'

export interface ConnectionParts {
  db: Db
  producer: Pick<Waker, 'wakeSoon'>
  config: { accounts: Readonly<Record<string, unknown>> }
  /** Undefined for an account that the configuration does not have. */
  gatewayFetch: (account: string) => GatewayFetch | undefined
  routes: (account: string, signal: AbortSignal) => Promise<RouteList | undefined>
}

/** A server, as the account of the configuration that is to use it. */
export interface Connection {
  account: string
  server: string
}

/** Asks for the link at which a person agrees. Undefined when the server is connected for the account already. */
export async function askConsent(
  parts: ConnectionParts,
  connection: Connection,
  redirectUrl: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const answer = await askConnect(await findRoute(parts, connection, signal), { redirectUrl, signal })
  return answer.kind === 'link' ? answer.link : undefined
}

const LOOK_MS = 2000

/** Waits until a person has agreed. False when the time is over or the signal was aborted before. */
export async function waitForConsent(
  { routes }: ConnectionParts,
  { account, server }: Connection,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const until = performance.now() + timeoutMs
  while (performance.now() < until && !signal.aborted) {
    await pause(LOOK_MS, signal)
    if (signal.aborted) return false
    // A gateway that does not answer may answer in the next round: the link stays valid. A rejected token does not heal by waiting.
    const listed = await routes(account, signal).catch((error: unknown) => {
      if (signal.aborted || (error instanceof Failure && error.retry === 'later' && error.code !== 'TOKEN_REJECTED')) return undefined
      throw error
    })
    if (listed?.routes.get(server)?.connected === true) return true
  }
  return false
}

/** Queues the runs that wait for this connection. Returns how many there were. */
export async function resumeConnected({ db, producer }: ConnectionParts, { account, server }: Connection, by: Actor): Promise<number> {
  const runs = await resumeWaiting(db, account, [server], by)
  producer.wakeSoon(runs)
  return runs.length
}

/** Takes back what a person agreed to for the account on this server. */
export async function disconnectServer(parts: ConnectionParts, connection: Connection, signal: AbortSignal): Promise<void> {
  await disconnect(await findRoute(parts, connection, signal), signal)
}

async function findRoute(
  { gatewayFetch, routes, config }: ConnectionParts,
  { account, server }: Connection,
  signal: AbortSignal,
): Promise<OfRoute> {
  const fetch = gatewayFetch(account)
  const listed = await routes(account, signal)
  if (!fetch || !listed)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `There is no account ${account} in the configuration.`,
      cure: `There are ${Object.keys(config.accounts).join(', ')}.`,
    })
  return { route: requireRoute(listed, server), fetch }
}
