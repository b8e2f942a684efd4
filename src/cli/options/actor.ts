import { hostname } from 'node:os'
import { v7 as uuidv7 } from 'uuid'
import type { Actor } from '../../core/acts.ts'
import { whoami } from './whoami.ts'

/** Who acts by this command: the user of the operating system, on this host. */
export const actorHere = <Reason extends string | null>(reason: Reason): Actor & { reason: Reason } => ({
  act: uuidv7(),
  name: whoami(),
  role: null,
  via: 'cli',
  origin: hostname(),
  requestId: null,
  reason,
})
