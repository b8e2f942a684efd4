import { dayOf, type Ceiling } from '../../core/rules/spending/budget.ts'
import type { Spend } from '../../core/rules/spending/spend.ts'
import { Failure } from '../../core/failure.ts'
import { listSpentOfDay } from '../../store/attempts/budgets.ts'
import { spentBy, type Spent, type SpentBy, type SpentOf } from '../../store/attempts/spend.ts'
import type { Db } from '../../store/postgres/db.ts'

export { MOST_KEYS, SPENT_BY, type Spent, type SpentBy, type SpentOf } from '../../store/attempts/spend.ts'

const DAY_MS = 86_400_000
/** Without a time: today and the six days before. */
const DAYS = 7
const MOST_DAYS = 366

/** What is asked. */
export interface SpendQuestion {
  by: SpentBy
  /** Without it, the beginning of the day (UTC) six days ago. */
  since?: Date | undefined
  /** Without it, now. */
  until?: Date | undefined
  /** Of these jobs alone. */
  jobs?: readonly string[] | undefined
}

/** A ceiling of the day, what counts against it, and what is left. */
export interface CeilingView {
  scope: Ceiling['scope']
  name: string
  /** Null: there is no ceiling of this kind. */
  tokens: { most: number; spent: number; left: number } | null
  costUsd: { most: number; spent: number; left: number } | null
}

/** What was spent in a time, and what is left of the day. */
export interface Spending {
  since: string
  until: string
  by: SpentBy
  rows: SpentOf[]
  total: Spent
  /** Of today (UTC); null where nobody knows which there are. It is counted as it is counted before each turn: with what turns under way may take, and an estimate where nobody says what was used. */
  today: { day: string; ceilings: CeilingView[] | null }
}

/** What runs spent. `FILTER_INVALID` for a time that ends before it begins, or of more than a year. */
export async function takeSpending(
  db: Db,
  { by, since, until, jobs }: SpendQuestion,
  ceilings: readonly Ceiling[] | undefined,
  now = new Date(),
): Promise<Spending> {
  const day = dayOf(now)
  const to = until ?? now
  const from = since ?? new Date(Date.parse(dayOf(to)) - (DAYS - 1) * DAY_MS)
  if (from > to)
    throw new Failure({ code: 'FILTER_INVALID', message: 'The time ends before it begins.', cure: 'Give a since before until.' })
  // What was said as days before now is some moments longer by now.
  if (Math.floor((to.getTime() - from.getTime()) / DAY_MS) > MOST_DAYS)
    throw new Failure({
      code: 'FILTER_INVALID',
      message: `What was spent is counted over ${MOST_DAYS} days at most.`,
      cure: 'Give a later since, or an earlier until.',
    })
  // Whoever sees some jobs alone sees what those may spend, and not what others of their account do.
  const seen = ceilings?.filter(({ scope, name }) => jobs === undefined || (scope === 'job' && jobs.includes(name)))
  const spent = await listSpentOfDay(db, seen ?? [], day)
  return {
    since: from.toISOString(),
    until: to.toISOString(),
    by,
    ...(await spentBy(db, by, { since: from, until: to, jobs })),
    today: {
      day,
      ceilings:
        seen?.map((ceiling) =>
          viewOf(
            ceiling,
            spent.find(({ scope, name }) => scope === ceiling.scope && name === ceiling.name),
          ),
        ) ?? null,
    },
  }
}

function viewOf({ scope, name, ...most }: Ceiling, spent: Spend | undefined): CeilingView {
  const kind = (of: keyof Spend) => {
    const [limit, used] = [most[of], spent?.[of] ?? 0]
    return limit === undefined ? null : { most: limit, spent: used, left: Math.max(limit - used, 0) }
  }
  return { scope, name, tokens: kind('tokens'), costUsd: kind('costUsd') }
}
