import type { Logger } from 'pino'
import type { Caller } from '../core/caller.ts'

/** What a caller changes by a request. */
export type Act = 'cancel' | 'retry' | 'bulk-retry' | 'pause' | 'resume' | 'board'

/** Writes down who changed what: runs and pauses say who asked for them, and not who cancelled, retried or lifted them. */
export const logAct = (log: Logger, { name }: Pick<Caller, 'name'>, act: Act, what: Readonly<Record<string, unknown>>): void =>
  log.info({ by: name, act, ...what }, 'A caller changed something.')
