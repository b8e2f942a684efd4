import pLimit from 'p-limit'
import type { Logger } from 'pino'
import { v7 as uuidv7 } from 'uuid'
import type { Actor } from '../core/acts.ts'
import { describeError } from '../core/failure.ts'
import type { Waker } from '../core/ports/wake.ts'
import { createPoller, type Poller } from '../lib/time/poll.ts'
import type { RouteList } from '../pomerium/routes.ts'
import type { Db } from '../store/postgres/db.ts'
import { listWaiting, resumeWaiting, tryStartPoll } from '../store/waiting/waiting.ts'

export interface ConsentWatcherOptions {
  db: Db
  producer: Waker
  /** The routes of an account now; undefined when this process does not have the account. */
  routesOf: (account: string, signal: AbortSignal) => Promise<RouteList | undefined>
  log: Logger
  /** How often an account's route list is polled, by all workers together. */
  everyMs?: number
}

/** A person agreed at the gateway, which does not say who it was. */
const watcher = (): Actor => ({
  act: uuidv7(),
  name: 'nightshift',
  role: null,
  via: 'nightshift',
  origin: null,
  requestId: null,
  reason: null,
})

const POLL_ACCOUNT_MS = 60_000
/** Accounts that are asked for at the same time: one that gets no answer holds back no other. */
const ACCOUNTS_AT_ONCE = 8
/** How often the store is asked whether anything waits. */
const POLL_STORE_MS = 5000

/**
 * Queues waiting runs once a person has given consent, that is, has connected the server for the account. Pomerium sends no notification, so the route list is
 * polled: one request per account and minute, however many workers there are.
 */
export function createConsentWatcher({ db, producer, routesOf, log, everyMs = POLL_ACCOUNT_MS }: ConsentWatcherOptions): Poller {
  const limited = pLimit(ACCOUNTS_AT_ONCE)

  async function pollAccount(account: string, servers: readonly string[], signal: AbortSignal): Promise<void> {
    if (!(await tryStartPoll(db, account, everyMs))) return
    const listed = await routesOf(account, signal)
    const connected = servers.filter((server) => listed?.routes.get(server)?.connected === true)
    if (connected.length === 0) return
    const runs = await resumeWaiting(db, account, connected, watcher())
    log.info({ account, servers: connected, runs: runs.length }, 'Connected: the runs that waited go on.')
    producer.wakeSoon(runs)
  }

  return createPoller({
    name: 'consent',
    everyMs: POLL_STORE_MS,
    async work(signal) {
      const servers = Map.groupBy(await listWaiting(db), ({ account }) => account)
      await limited.map([...servers], ([account, waiting]) =>
        pollAccount(
          account,
          waiting.map(({ server }) => server),
          signal,
        ).catch((error: unknown) => log.warn({ account, reason: describeError(error) }, 'The route list could not be looked at.')),
      )
    },
    onFailure: (error) => log.warn({ reason: describeError(error) }, 'Could not look for waiting runs.'),
  })
}
