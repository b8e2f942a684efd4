// What an evaluation will run, and what that may cost, known before the first run.
import { durationMs } from '../lib/duration.ts'
import type { Offer } from '../jobs/check.ts'
import type { Arm } from './arms.ts'
import type { EvalCase } from './cases/cases.ts'

/** A case as an arm runs it. */
export interface Planned {
  arm: Arm
  one: EvalCase
}

export interface Estimate {
  job: string
  arms: { name: string; cases: number; models: string[] }[]
  /** Runs of each case by each arm. */
  times: number
  runs: number
  /** What the runs may spend together by their own limits, in USD; undefined where a run of a model with a price has none. */
  limitsUsd: number | undefined
  /** The limit over all of it (`--max-cost`). */
  maxUsd: number | undefined
  /** Models with a price of which some run has no limit in money. */
  unlimited: string[]
  /** Models without a price: what they cost is not known. */
  unpriced: string[]
  /** Cases in which calls that may change something are really made. */
  writes: string[]
  /** Longest time that an attempt may take, as a job says it. */
  deadline: string
}

/** Sums up a plan. */
export function estimateOf(
  planned: readonly Planned[],
  { job, times, maxUsd, offer }: { job: string; times: number; maxUsd: number | undefined; offer: Pick<Offer, 'hasPrice'> },
): Estimate {
  const priced = planned.filter(({ one: { definition } }) =>
    offer.hasPrice(definition.model.provider, definition.model.name, definition.model.tier),
  )
  const limits = priced.map(({ one }) => one.definition.limits.costUsd)
  return {
    job,
    arms: [...Map.groupBy(planned, ({ arm }) => arm.name)].map(([name, mine]) => ({ name, cases: mine.length, models: modelsOf(mine) })),
    times,
    runs: planned.length * times,
    limitsUsd: limits.includes(undefined) ? undefined : times * limits.reduce<number>((sum, usd = 0) => sum + usd, 0),
    maxUsd,
    unlimited: modelsOf(priced.filter(({ one }) => one.definition.limits.costUsd === undefined)),
    unpriced: modelsOf(planned.filter((one) => !priced.includes(one))),
    writes: [...new Set(planned.flatMap(({ one }) => (one.writes === 'made' ? [one.name] : [])))],
    deadline: planned.map(({ one }) => one.definition.limits.deadline).toSorted((a, b) => durationMs(b) - durationMs(a))[0] ?? '0s',
  }
}

const modelsOf = (planned: readonly Planned[]) => [
  ...new Set(planned.map(({ one: { definition } }) => `${definition.model.provider}/${definition.model.name}`)),
]
