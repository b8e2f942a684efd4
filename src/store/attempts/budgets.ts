import { dayOf, decideBudget, type Budget, type Ceiling } from '../../core/rules/spending/budget.ts'
import type { Spend } from '../../core/rules/spending/spend.ts'
import { query, transactionOnce, type Db } from '../postgres/db.ts'

/** Keeps the daily ceilings of a run in the store: the rows of a day are locked while a turn is weighed, so any number of workers share one ceiling. */
export function createBudget(options: { db: Db; ceilings: readonly Ceiling[]; warn: (message: string) => void; now?: () => Date }): Budget {
  const { db, warn, now = () => new Date() } = options
  // Rows are locked in one order by everybody.
  const ceilings = options.ceilings.toSorted((a, b) => `${a.scope} ${a.name}`.localeCompare(`${b.scope} ${b.name}`))
  const names = [ceilings.map(({ scope }) => scope), ceilings.map(({ name }) => name)]
  let day = dayOf(now())
  return {
    async reserve(estimate) {
      day = dayOf(now())
      const decision = await transactionOnce(db, async (client) => {
        await client.query(
          'insert into budget_days (scope, name, day) select scope, name, $3 from unnest($1::text[], $2::text[]) as n(scope, name) on conflict do nothing',
          [...names, day],
        )
        const { rows } = await client.query<{ scope: string; name: string; tokens: number; costUsd: number }>(
          `select d.scope, d.name, d.tokens, d.cost_usd as "costUsd" from budget_days d join unnest($1::text[], $2::text[]) as n(scope, name) using (scope, name)
             where d.day = $3 order by d.scope, d.name for update of d`,
          [...names, day],
        )
        const spent = ceilings.map((ceiling) => {
          const row = rows.find(({ scope, name }) => scope === ceiling.scope && name === ceiling.name)
          return { ceiling, spent: { tokens: row?.tokens ?? 0, costUsd: row?.costUsd ?? 0 } }
        })
        const verdict = decideBudget(spent, estimate)
        if (verdict.verdict === 'granted') await client.query(ADD, [...names, day, Math.round(estimate.tokens), estimate.costUsd])
        return verdict
      })
      if (decision.verdict === 'over') return decision.reason
      for (const warning of decision.warnings) warn(warning)
      return undefined
    },
    async charge(estimate, actual) {
      const more: Spend = { tokens: actual.tokens - estimate.tokens, costUsd: actual.costUsd - estimate.costUsd }
      await transactionOnce(db, (client) => query(client, ADD, [...names, day, Math.round(more.tokens), more.costUsd]))
    },
  }
}

const ADD = `update budget_days d set tokens = greatest(d.tokens + $4, 0), cost_usd = greatest(d.cost_usd + $5, 0)
  from unnest($1::text[], $2::text[]) as n(scope, name) where d.scope = n.scope and d.name = n.name and d.day = $3`

/** What of a day (UTC) is spent under ceilings, as a turn is weighed: with what is reserved for turns under way. */
export async function listSpentOfDay(db: Db, ceilings: readonly Pick<Ceiling, 'scope' | 'name'>[], day: string): Promise<SpentOfDay[]> {
  return query<SpentOfDay & { name: string }>(
    db,
    `select scope, name, tokens::float8 as tokens, cost_usd as "costUsd" from budget_days
     join unnest($1::text[], $2::text[]) as n(scope, name) using (scope, name) where day = $3`,
    [ceilings.map(({ scope }) => scope), ceilings.map(({ name }) => name), day],
  )
}

export interface SpentOfDay extends Pick<Ceiling, 'scope' | 'name'>, Spend {}
