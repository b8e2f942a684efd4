import type { Logger } from 'pino'
import { messageOf } from '../core/failure.ts'
import type { Route } from '../pomerium/routes.ts'
import type { Db } from '../store/postgres/db.ts'
import { claimLook, listWaiting, resumeWaiting } from '../store/waiting/waiting.ts'
import type { Lifecycle } from '../lib/lifecycle.ts'
import type { Waker } from '../core/ports/wake.ts'

export interface ConnectionWatchOptions {
  db: Db
  producer: Waker
  /** The routes of an account now; undefined when this process does not have the account. */
  routesOf: (account: string, signal: AbortSignal) => Promise<Map<string, Route> | undefined>
  log: Logger
  /** How often an account is looked at, by all workers together. */
  everyMs?: number
}

export interface ConnectionWatch extends Lifecycle {
  /** Looks once at each account that runs wait for. */
  look(): Promise<void>
}

const EVERY_MS = 60_000
/** How often the store is asked whether anything waits. */
const ASK_MS = 5000

/** Lets waiting runs go on when a person has connected what they wait for. One request an account and minute, whatever the number of workers. */
export function createConnectionWatch(options: ConnectionWatchOptions): ConnectionWatch {
  const { db, producer, log, everyMs = EVERY_MS } = options
  const ending = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let looking: Promise<void> | undefined

  async function lookAt(account: string, servers: readonly string[]): Promise<void> {
    if (!(await claimLook(db, account, everyMs))) return
    const routes = await options.routesOf(account, ending.signal)
    const connected = servers.filter((server) => routes?.get(server)?.connected === true)
    if (connected.length === 0) return
    const runs = await resumeWaiting(db, account, connected)
    log.info({ account, servers: connected, runs: runs.length }, 'Connected: the runs that waited go on.')
    await producer.wakeSoon(runs)
  }

  async function look(): Promise<void> {
    const servers = new Map<string, string[]>()
    for (const { account, server } of await listWaiting(db)) servers.set(account, [...(servers.get(account) ?? []), server])
    for (const [account, wanted] of servers) {
      await lookAt(account, wanted).catch((error: unknown) =>
        log.warn({ account, reason: messageOf(error) }, 'The route list could not be looked at.'),
      )
    }
  }

  function again(): void {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => log.warn({ reason: messageOf(error) }, 'Could not look for waiting runs.'))
        .finally(() => {
          if (!ending.signal.aborted) again()
        })
    }, ASK_MS)
  }

  return {
    look,
    async start() {
      if (timer === undefined && !ending.signal.aborted) again()
    },
    async stop() {
      ending.abort()
      clearTimeout(timer)
      await looking
    },
  }
}
