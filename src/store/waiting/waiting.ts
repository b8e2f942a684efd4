import type { Actor } from '../../core/acts.ts'
import type { Wake } from '../../core/ports/wake.ts'
import type { Wait } from '../../core/rules/consent-wait.ts'
import { actUponRuns } from '../acts/write.ts'
import { query, type Db } from '../postgres/db.ts'
import { createParameters } from '../postgres/parameters.ts'
import { whereOf, type RunFilter } from '../runs/filter.ts'
import { WAKEABLE } from '../runs/wakeable.ts'

export interface WaitingFor extends Omit<Wait, 'kind'> {
  runs: number
}

/** What runs wait for: a person who connects a server for an account. Counts only the runs of the filter. */
export async function listWaiting(db: Db, filter: RunFilter = {}): Promise<WaitingFor[]> {
  const { sql, values } = whereOf(filter)
  return query<WaitingFor & { account: string }>(
    db,
    `select waits_for ->> 'account' as account, waits_for ->> 'server' as server, count(*)::int as runs
     from runs where status = 'waiting' and finished_at is null and waits_for ->> 'kind' = 'connection' and ${sql}
     group by 1, 2 order by 1, 2`,
    values,
  )
}

/** True for the one caller who may ask for the account's route list now: nobody did for `everyMs`. */
export async function tryStartPoll(db: Db, account: string, everyMs: number): Promise<boolean> {
  const rows = await query(
    db,
    `insert into connection_looks as poll (account, looked_at) values ($1, now())
     on conflict (account) do update set looked_at = now()
       where poll.looked_at <= now() - make_interval(secs => $2 / 1000.0)
     returning 1`,
    [account, everyMs],
  )
  return rows.length > 0
}

/** Lets the runs go on that wait for one of these servers. Returns them for the queue. */
export async function resumeWaiting(db: Db, account: string, servers: readonly string[], by: Actor): Promise<Wake[]> {
  const { add, values } = createParameters()
  return query<Wake>(
    db,
    `with moved as (
       update runs set status = 'queued', waits_for = null, next_attempt_at = null, holds = holds + 1
       where status = 'waiting' and waits_for ->> 'kind' = 'connection'
         and waits_for ->> 'account' = ${add(account)} and waits_for ->> 'server' = any(${add(servers)}::text[])
       returning ${WAKEABLE}, job, conversation, attempts as attempt),
     ${actUponRuns(add, { act: 'connect', by, detail: { account, servers } }, 'moved')}
     select id, round, priority, "inMs" from moved`,
    values,
  )
}
