import type { Usage } from '../../core/run.ts'

/** The columns of usage, of a run or of a turn. Of a turn of which the provider did not say what it used, those of cached and reasoning tokens are null. */
export const USAGE = `input_tokens as "inputTokens", cached_tokens as "cachedTokens",
  output_tokens as "outputTokens", reasoning_tokens as "reasoningTokens"`

/** Beside the usage of a run (SQL): it is an estimate in part. */
export const ESTIMATED = `(exists (select 1 from turns t where t.run_id = runs.id and t.cached_tokens is null)
  or exists (select 1 from unseen_answers u where u.run_id = runs.id))`

/** Beside the cost of a run (SQL): what some of it cost is not known, so that it is the least. */
export const COST_AT_LEAST = `(cost_usd is not null and (exists (select 1 from turns t where t.run_id = runs.id and t.cost_usd is null)
  or exists (select 1 from unseen_answers u where u.run_id = runs.id)))`

/** What all turns of the run $1 used, and its answers that were not seen to their end (SQL). */
export const spentOf = (
  run: string,
) => `select coalesce(sum(input_tokens), 0)::bigint as input_tokens, coalesce(sum(cached_tokens), 0)::bigint as cached_tokens,
    coalesce(sum(output_tokens), 0)::bigint as output_tokens, coalesce(sum(reasoning_tokens), 0)::bigint as reasoning_tokens, sum(cost_usd) as cost_usd,
    coalesce(bool_or(cached_tokens is null), false) as estimated
  from (select input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_usd from turns where run_id = ${run}
    union all select input_tokens, null, output_tokens, null, null from unseen_answers where run_id = ${run}) used`

/** Usage as a row has it. */
export interface UsageRow {
  inputTokens: number
  cachedTokens: number | null
  outputTokens: number
  reasoningTokens: number | null
  /** Of a turn; null where its provider did not say. */
  cacheWriteTokens?: number | null
  estimated?: boolean
}

/** A row with its usage in one field, as everybody else has it. */
export const withUsage = <Row extends UsageRow>({
  inputTokens,
  cachedTokens,
  outputTokens,
  reasoningTokens,
  cacheWriteTokens,
  estimated,
  ...row
}: Row) => ({
  ...row,
  usage: {
    inputTokens,
    cachedTokens: cachedTokens ?? 0,
    ...(cacheWriteTokens != null && { cacheWriteTokens }),
    outputTokens,
    reasoningTokens: reasoningTokens ?? 0,
    ...((estimated || cachedTokens === null) && { estimated: true as const }),
  } satisfies Usage,
})
