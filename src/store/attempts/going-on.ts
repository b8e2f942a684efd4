import { mayGoOnUntil } from '../../core/rules/join/going-on.ts'
import { DEFAULT_DEADLINE } from '../../core/rules/spending/limits.ts'
import { durationMs } from '../../lib/duration.ts'
import type pg from 'pg'
import { query, type Db } from '../postgres/db.ts'

/** An answer of attempt `a` that was asked for, and whose end was not seen (SQL). */
export const OPEN_ANSWER = `exists (
  select 1 from responses p left join turns t on t.run_id = p.run_id and t.number = p.turn
  where p.run_id = a.run_id and p.attempt = a.number and (t.number is null or t.stop_reason = 'stopped'))`

/** The same, of a provider that no cancel reaches: it has no background mode, or the answer's id never came. */
const DEAF_ANSWER = OPEN_ANSWER.replace('where ', 'where (not p.background or p.response_id is null) and ')

/** How long the provider of an attempt may go on whatever we do. */
export interface GoingOn {
  until: Date
  /** By the clock of the store. */
  isOver: boolean
}

/** What may go on of a run, by the number of the attempt: no provider with background mode, and none whose account of the run's own is gone. */
export async function loadGoingOn(db: Db | pg.PoolClient, runId: string): Promise<Map<number, GoingOn>> {
  const rows = await query<{ number: number; startedAt: Date; now: Date; deadline: string | null }>(
    db,
    `select a.number, a.started_at as "startedAt", now() as now, v.definition -> 'limits' ->> 'deadline' as deadline
     from attempts a join runs r on r.id = a.run_id join job_versions v on v.job = r.job and v.version = a.job_version
     where a.run_id = $1 and ${DEAF_ANSWER}
       and not exists (select 1 from run_account_ends e where e.run_id = a.run_id and e.attempt = a.number and e.ended_at is not null)`,
    [runId],
    'going on',
  )
  return new Map(
    rows.map(({ number, startedAt, now, deadline }) => {
      const until = mayGoOnUntil({ startedAt, deadlineMs: durationMs(deadline ?? DEFAULT_DEADLINE) })
      return [number, { until, isOver: until <= now }]
    }),
  )
}
