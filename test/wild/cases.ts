import { answerCases } from './answers.ts'
import { callCases } from './calls.ts'
import type { WildCase } from './case.ts'
import { setupCases } from './setup.ts'

/** Every case, each with a name of its own. */
export const WILD: readonly WildCase[] = [...setupCases, ...answerCases, ...callCases]
