import { answerCases } from './answers.ts'
import { callCases } from './calls.ts'
import type { WildCase } from './case.ts'
import type { ModelCase } from './models/case.ts'
import { chatCases } from './models/chat.ts'
import { responsesCases } from './models/responses.ts'
import { setupCases } from './setup.ts'

/** Every case of an MCP server, each with a name of its own. */
export const WILD: readonly WildCase[] = [...setupCases, ...answerCases, ...callCases]

/** Every case of a model's provider; names may be those of the other API. */
export const WILD_MODELS: readonly ModelCase[] = [...chatCases, ...responsesCases]
