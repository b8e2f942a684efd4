import { z } from 'zod'
import { DEFAULT_DEADLINE, DEFAULT_TOOL_CALLS, MAX_TOKENS, MAX_USD } from '../../core/rules/spending/limits.ts'
import { durationText } from '../../lib/duration.ts'

/** The largest figures of a file. A definition that is kept may have larger ones, of an earlier version that knew no such bounds. */
const WRITTEN = { tokens: MAX_TOKENS, usd: MAX_USD, bytes: 67_108_864 }
const KEPT = { tokens: Number.MAX_SAFE_INTEGER, usd: Number.MAX_VALUE, bytes: Number.MAX_SAFE_INTEGER }

const limitsUpTo = (most: typeof WRITTEN) =>
  z.strictObject({
    turns: z.int().min(1).max(1000).default(20).describe('Most model answers.'),
    toolCalls: z.int().min(0).max(10_000).default(DEFAULT_TOOL_CALLS).describe('Most tool calls.'),
    tokens: z
      .int()
      .min(1)
      .max(most.tokens)
      .optional()
      .describe('Most tokens, input and output together. Kept by an estimate where the provider does not say what it used.'),
    costUsd: z
      .number()
      .positive()
      .max(most.usd)
      .optional()
      .describe(
        'Most money in USD. The model needs a price in the configuration. Kept by an estimate where the provider does not say what it used.',
      ),
    deadline: durationText('1s').default(DEFAULT_DEADLINE).describe('Longest time an attempt may take, such as 10m.'),
    call: durationText('1s').default('2m').describe('Longest time for a tool call; timeout of a server overrides it.'),
    resultBytes: z
      .int()
      .min(256)
      .max(most.bytes)
      .default(262_144)
      .describe(
        'Most bytes of a tool result that the model is shown at once, and of a page of one. Where the window of the model is known, the results of one turn take no more than an eighth of it together, and pages no more than a quarter. Of a larger one it is shown the beginning and the end, and reads the rest with nightshift__read_result.',
      ),
    keptBytes: z
      .int()
      .min(256)
      .max(WRITTEN.bytes)
      .default(16_777_216)
      .describe('Most bytes that are kept of a tool result. Of a larger one the beginning and the end are kept, and the run is not green.'),
    outputBytes: z
      .int()
      .min(256)
      .max(most.bytes)
      .default(1_048_576)
      .describe('Largest answer that is kept; what is beyond is cut and the run is not green.'),
  })

/** What a run may use, as a job file says it. */
export const limitsSchema = limitsUpTo(WRITTEN)
/** The same as a row keeps it. */
export const keptLimitsSchema = limitsUpTo(KEPT)

export const retrySchema = z.strictObject({
  attempts: z.int().min(1).max(100).default(3).describe('Most attempts, the first included.'),
  backoff: durationText('1ms').default('30s').describe('Wait before the second attempt; doubled for each further one.'),
})
