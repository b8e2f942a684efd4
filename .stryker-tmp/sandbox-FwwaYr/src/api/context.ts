// @ts-nocheck
import type { Logger } from 'pino'
import type { Caller } from '../core/caller.ts'
import type { JobRegistry } from '../jobs/registry.ts'
import type { Waker } from '../core/ports/wake.ts'
import type { Db } from '../store/postgres/db.ts'

/** What the routes work with. */
export interface ApiContext {
  db: Db
  jobs: JobRegistry
  producer: Waker
  /** Runs that may be queued. */
  maxQueued: number
  log: Logger
  /** Aborted when the process drains: long answers end. */
  ending: AbortSignal
}

/** What is known of each request of the API. */
export interface ApiEnv {
  Variables: { caller: Caller }
}
