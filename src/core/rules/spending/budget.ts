import type { FailureCode } from '../../failure-codes.ts'
import type { Reason } from '../../run.ts'
import type { Spend } from './spend.ts'

/** The day (UTC) whose ceilings a turn at that time counts against, as YYYY-MM-DD. */
export const dayOf = (time: Date): string => time.toISOString().slice(0, 10)

/** The most that one account or one job may spend in a day. */
export interface Ceiling {
  scope: 'account' | 'job'
  name: string
  tokens: number | undefined
  costUsd: number | undefined
}

/** The daily ceilings that a run is under. */
export interface Budget {
  /** Takes the estimate of a turn out of the day, before the turn. A reason when a ceiling would be passed; then nothing was taken. */
  reserve(estimate: Spend): Promise<Reason | undefined>
  /** Replaces the estimate by what the turn really cost. */
  charge(estimate: Spend, actual: Spend): Promise<void>
}

export type BudgetDecision = { verdict: 'granted'; warnings: string[] } | { verdict: 'over'; reason: Reason }

/** The share of a limit at which a warning is due. */
export const WARN_SHARE = 0.8

/** Whether a day's spending plus an estimate stays under a ceiling; warns when the estimate passes 80 % of it. */
export function decideBudget(ceilings: readonly { ceiling: Ceiling; spent: Spend }[], estimate: Spend): BudgetDecision {
  const warnings: string[] = []
  for (const { ceiling, spent } of ceilings) {
    for (const [kind, code] of KINDS) {
      const limit = ceiling[kind]
      if (limit === undefined) continue
      const after = spent[kind] + estimate[kind]
      const what = `the daily ${kind} of ${ceiling.scope} ${ceiling.name}`
      if (after > limit)
        return {
          verdict: 'over',
          reason: { code, message: `With this turn ${what} would pass ${limit}; ${round(spent[kind])} are spent or reserved today.` },
        }
      const mark = limit * WARN_SHARE
      if (spent[kind] < mark && after >= mark) warnings.push(`More than 80 % of ${what} (${limit}) are spent.`)
    }
  }
  return { verdict: 'granted', warnings }
}

const KINDS: readonly (readonly ['tokens' | 'costUsd', FailureCode])[] = [
  ['tokens', 'BUDGET_TOKENS'],
  ['costUsd', 'BUDGET_COST'],
]

const round = (value: number) => Number(value.toFixed(4))
