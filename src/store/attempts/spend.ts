import { query, type Db } from '../postgres/db.ts'
import { createParameters } from '../postgres/parameters.ts'

/** What spending is counted by. */
export const SPENT_BY = ['day', 'job', 'account', 'model', 'caller'] as const
export type SpentBy = (typeof SPENT_BY)[number]

/** What turns used, and answers that were not seen to their end. */
export interface Spent {
  runs: number
  /** Turns, and answers that were not seen to their end. */
  turns: number
  inputTokens: number
  outputTokens: number
  /** Of the turns whose cost is known; null: of none. */
  costUsd: number | null
  /** Turns and answers whose cost is not known: without a price, or nobody says what they used. */
  unpriced: number
  /** Among the tokens are estimates. */
  estimated: boolean
}

/** Of one day (UTC), job, account, model or caller. */
export interface SpentOf extends Spent {
  /** Null: an answer of no known model, or a run that nobody asked for, but a schedule. */
  key: string | null
}

export interface SpentIn {
  since: Date
  until: Date
  /** Of these jobs alone. */
  jobs?: readonly string[] | undefined
}

const KEYS: Readonly<Record<SpentBy, string>> = {
  day: "to_char(at at time zone 'UTC', 'YYYY-MM-DD')",
  job: 'job',
  account: 'account',
  model: "nullif(concat_ws('/', provider, model), '') || case when tier <> 'default' then ' (' || tier || ')' else '' end",
  caller: 'requested_by',
}

/** So many of the keys that cost most. */
export const MOST_KEYS = 500

/** Turns have the time of their worker, and runs that of the store: nobody looks at more than an hour between them. */
const APART = "interval '1 hour'"

/** When answer `u` of attempt `a` was asked for, as near as it is known (SQL): once the calls of its attempt before it were over. Its turn may be another attempt's. */
const ASKED_AT = `greatest(a.started_at,
    (select max(t.finished_at) from turns t where t.run_id = u.run_id and t.attempt = u.attempt and t.number < u.turn),
    (select max(c.finished_at) from tool_calls c where c.run_id = u.run_id and c.attempt = u.attempt and c.turn < u.turn))`

/**
 * What was spent in a time, by the day, job, account, model or caller, and in all: days in their order, else what costs most first. Runs are found by when they
 * were under way, and their turns by the time at which a ceiling counts them, which is that of their request.
 */
export async function spentBy(db: Db, by: SpentBy, { since, until, jobs }: SpentIn): Promise<{ rows: SpentOf[]; total: Spent }> {
  const { add, values } = createParameters()
  const [from, to, named] = [add(since), add(until), add(jobs ?? null)]
  const run = `select id, job, account, requested_by from runs
    where created_at < ${to}::timestamptz + ${APART} and (${named}::text[] is null or job = any(${named}))`
  const found = await query<SpentOf & { isTotal: boolean }>(
    db,
    `with under_way as (
       ${run} and finished_at >= ${from}::timestamptz - ${APART}
       union all
       ${run} and finished_at is null),
     used as (
       select r.*, t.started_at as at, t.provider, t.model, t.tier, t.input_tokens, t.output_tokens, t.cost_usd, t.cached_tokens is null as estimated
       from under_way r join turns t on t.run_id = r.id
       union all
       select r.*, coalesce(t.started_at, ${ASKED_AT}), null, null, null, u.input_tokens, u.output_tokens, null, true
       from under_way r join unseen_answers u on u.run_id = r.id
         join attempts a on a.run_id = u.run_id and a.number = u.attempt
         left join turns t on t.run_id = u.run_id and t.attempt = u.attempt and t.number = u.turn)
     select grouping(key) = 1 as "isTotal", key, count(distinct id)::int as runs, count(*)::int as turns,
       coalesce(sum(input_tokens), 0)::float8 as "inputTokens", coalesce(sum(output_tokens), 0)::float8 as "outputTokens",
       sum(cost_usd) as "costUsd", (count(*) filter (where cost_usd is null))::int as unpriced, coalesce(bool_or(estimated), false) as estimated
     from (select *, ${KEYS[by]} as key from used where at >= ${from} and at < ${to}) used
     group by grouping sets ((key), ())
     order by 1 desc, ${by === 'day' ? 'key' : '"costUsd" desc nulls last, "inputTokens" desc, key'} limit ${MOST_KEYS + 1}`,
    values,
  )
  const total = found.find(({ isTotal }) => isTotal)
  return {
    rows: found.flatMap((row) => (row.isTotal ? [] : [{ key: row.key, ...spentOf(row) }])),
    total: total ? spentOf(total) : NOTHING,
  }
}

const NOTHING: Spent = { runs: 0, turns: 0, inputTokens: 0, outputTokens: 0, costUsd: null, unpriced: 0, estimated: false }

const spentOf = ({ runs, turns, inputTokens, outputTokens, costUsd, unpriced, estimated }: Spent): Spent => ({
  runs,
  turns,
  inputTokens,
  outputTokens,
  costUsd,
  unpriced,
  estimated,
})
