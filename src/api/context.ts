import type { Logger } from 'pino'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Caller } from '../core/caller.ts'
import type { QueueLimits } from '../core/rules/queue/share.ts'
import type { Ceiling } from '../core/rules/spending/budget.ts'
import type { Waker } from '../core/ports/wake.ts'
import type { OpenAnswers } from '../http/open-answers.ts'
import type { RunIntake } from '../runs/intake.ts'
import type { RunStates } from '../runs/follow/states.ts'
import type { Db } from '../runs/queries.ts'
import type { RetryParts } from '../runs/retry.ts'
import type { Job } from '../runs/lookup.ts'

/** What the routes work with. */
export interface ApiContext {
  db: Db
  /** The job files, as they are now. */
  jobs: { jobs(): ReadonlyMap<string, Job>; issues(): readonly string[] }
  /** Names of the accounts of this configuration. */
  accounts: () => ReadonlySet<string>
  /** Of the configuration file, as it was read last. */
  configDigest: () => string
  /** The daily ceilings of this configuration. */
  ceilings: () => readonly Ceiling[]
  producer: Waker
  /** How many runs may be queued: `QUEUE_FULL` for one more. */
  queueLimits: () => QueueLimits
  log: Logger
  /** Aborted when the process drains: long answers end. */
  ending: AbortSignal
}

/** The same with what the routes share among themselves. */
export interface RouteContext extends ApiContext {
  /** Takes runs that are asked for. */
  intake: RunIntake
  /** How the runs stand that somebody watches. */
  states: RunStates
  /** Answers that stay open until something happens. */
  openAnswers: OpenAnswers
}

/** What is known of each request of the API. */
export interface ApiEnv {
  Variables: { caller: Caller }
}

/** Adds a group of routes. */
export type AddRoutes = (app: OpenAPIHono<ApiEnv>, context: RouteContext) => void

/** What a retry works with: the job files as they are at this moment. */
export const retryParts = ({ db, producer, jobs }: Pick<ApiContext, 'db' | 'producer' | 'jobs'>): RetryParts => ({
  db,
  producer,
  jobs: jobs.jobs(),
})
