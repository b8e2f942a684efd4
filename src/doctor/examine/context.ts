import type { Dispatcher } from 'undici'
import type { ConfigValues } from '../../config/schema.ts'
import type { GatewayFetch } from '../../core/ports/gateway.ts'
import type { Job } from '../../jobs/job.ts'
import type { Redactor } from '../../lib/redact.ts'
import type { Provider } from '../../models/provider.ts'
import type { RouteList } from '../../pomerium/routes.ts'
import type { TokenSource } from '../../pomerium/token.ts'
import type { Db } from '../../store/postgres/db.ts'
import type { Finding } from '../check.ts'

/** A configuration that was read, with what is to be changed in it. */
export type ExaminedConfig = ConfigValues & { notes: readonly string[] }

/** What is looked at of a Nightshift that is not at work. Its store is opened by itself, so that one that is away stops no other check. */
export interface ExaminedParts extends AsyncDisposable {
  /** Most connections to Postgres that a process opens. */
  mostConnections: number
  resources: {
    accounts: ReadonlyMap<string, TokenSource>
    perRun: ReadonlySet<string>
    providers: ReadonlyMap<string, Provider>
    maxRequestBytes: ReadonlyMap<string, number>
    gateway: { timeoutMs: number; maxResponseBytes: number; dispatcher: Dispatcher }
    redactor: Pick<Redactor, 'redact'>
  }
  openStore: () => Promise<Db>
  /** Reads the secrets of all destinations. `CONFIG_INVALID` for one that cannot be read. */
  readSecrets: () => void
  gatewayFetch: (db: Db, account: string) => GatewayFetch | undefined
  routes: (db: Db, account: string, signal: AbortSignal) => Promise<RouteList | undefined>
}

/** What each check may look at. */
export interface Context {
  config: ExaminedConfig
  parts: ExaminedParts
  /** Undefined when it does not answer, or takes no writing. */
  db: Db | undefined
  jobs: readonly Job[]
  /** What was found of both, which are asked first. */
  store: readonly Finding[]
  queue: readonly Finding[]
  spend: boolean
  signal: AbortSignal
}

export type Check = (context: Context) => AsyncIterable<Finding> | Iterable<Finding>

export const STORE_CURE = 'Check databaseUrl, and see what keeps Postgres from answering.'
