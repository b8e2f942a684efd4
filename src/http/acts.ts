import type { Context } from 'hono'
import type { Logger } from 'pino'
import { v7 as uuidv7 } from 'uuid'
import type { Act, Actor } from '../core/acts.ts'
import type { Caller, Role } from '../core/caller.ts'
import { originOf } from './origin.ts'

/** Who acts by this request, as an operator or whatever `role` the act needs. */
export function actorOf<Reason extends string | null>(
  c: Context,
  { name }: Pick<Caller, 'name'>,
  role: Role,
  reason: Reason,
): Actor & { reason: Reason } {
  return { act: uuidv7(), name, role, via: 'api', origin: originOf(c), requestId: c.get('requestId') ?? null, reason }
}

/** Says in the log who did what by a request. The store says it too, unless nothing came of it. */
export const logAct = (log: Logger, act: Act, by: Actor, what: Readonly<Record<string, unknown>>): void =>
  log.info({ act, actId: by.act, by: by.name, role: by.role, origin: by.origin, reason: by.reason, ...what }, 'A caller changed something.')
