import type { Usage } from '../../core/run.ts'

/** The columns of usage, of a run or of a turn. */
export const USAGE = `input_tokens as "inputTokens", cached_tokens as "cachedTokens",
  output_tokens as "outputTokens", reasoning_tokens as "reasoningTokens"`

/** A row with its usage in one field, as everybody else has it. */
export const withUsage = <Row extends Usage>({ inputTokens, cachedTokens, outputTokens, reasoningTokens, ...row }: Row) => ({
  ...row,
  usage: { inputTokens, cachedTokens, outputTokens, reasoningTokens } satisfies Usage,
})
