import { randomUUID } from 'node:crypto'
import type { Actor } from '../../src/core/acts.ts'

/** A person who acts, each time by another command. */
export const someone = (given: { name?: string; reason?: string } = {}): Actor & { reason: string } => ({
  act: randomUUID(),
  name: 'ann',
  role: null,
  via: 'cli',
  origin: 'desk',
  requestId: null,
  reason: 'it is to be so',
  ...given,
})
