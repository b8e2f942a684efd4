import type { Attack } from './attack.ts'
import { modelAttacks } from './models.ts'
import { secretAttacks, type Canaries } from './secrets.ts'
import { serverAttacks } from './servers.ts'

const files: readonly Attack[] = [
  { name: '1 MB of quotes in a job file', jobFile: `prompt: ${'"'.repeat(1_000_000)}\n`, expected: 'refused' },
  { name: '1 MB of open brackets in a job file', jobFile: `prompt: ${'['.repeat(1_000_000)}\n`, expected: 'refused' },
]

/** All attacks, with the secrets that they give away. */
export const attacksWith = (canaries: Canaries): readonly Attack[] => [
  ...serverAttacks,
  ...modelAttacks,
  ...files,
  ...secretAttacks(canaries),
]
