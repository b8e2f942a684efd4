import type { CloudEvent } from '../../core/cloud-event.ts'
import { query, queryIso, type Db } from '../postgres/db.ts'

export interface Suspect {
  accountId: string
  account: string | null
  since: string
  events: number
  acknowledgedAt: string | null
  acknowledgedBy: string | null
  reason: string | null
}

/** Keeps that these events of an account are explained by nothing, and the alarm to be sent. One that was acknowledged becomes suspect again. */
export async function raiseSuspect(
  db: Db,
  { accountId, account, events }: { accountId: string; account: string | null; events: readonly string[] },
  alarm: { id: string; body: CloudEvent },
): Promise<void> {
  await query(
    db,
    `with marked as (
       update authorize_events set alerted_at = now() where id = any($3::bigint[]) and alerted_at is null returning id),
     told as (insert into alarms (id, body) select $4, $5 from marked having count(*) > 0)
     insert into suspects as s (account_id, account, events, first_event)
       select $1, $2, count(*)::int, min(id) from marked having count(*) > 0
     on conflict (account_id) do update set events = s.events + excluded.events,
       since = case when s.acknowledged_at is null then s.since else now() end,
       acknowledged_at = null, acknowledged_by = null, reason = null`,
    [accountId, account, events, alarm.id, JSON.stringify(alarm.body)],
  )
}

/** An alarm that was not sent yet. */
export interface UnsentAlarm {
  id: string
  body: CloudEvent
  /** How often it could not be sent. */
  tries: number
}

/** Alarms that are to be sent now, those that waited longest first. */
export async function listUnsentAlarms(db: Db): Promise<UnsentAlarm[]> {
  return query<UnsentAlarm & { id: string }>(
    db,
    'select id, body, tries from alarms where sent_at is null and next_try_at <= now() order by next_try_at, created_at limit 100',
  )
}

/** An alarm could not be sent: it is tried again after `ms`. `refused`: what its receiver said, and will say again. */
export async function putOffAlarm(db: Db, id: string, { ms, refused }: { ms: number; refused: string | undefined }): Promise<void> {
  await query(
    db,
    'update alarms set tries = tries + 1, next_try_at = now() + make_interval(secs => $2::float8 / 1000.0), refused = $3 where id = $1',
    [id, ms, refused ?? null],
  )
}

export async function markAlarmSent(db: Db, id: string): Promise<void> {
  await query(db, 'update alarms set sent_at = now() where id = $1', [id])
}

/** Acknowledges the unexplained lines of an account with a reason. False when the account is not suspect. */
export async function acknowledgeSuspect(
  db: Db,
  { account, by, reason }: { account: string; by: string; reason: string },
): Promise<boolean> {
  const rows = await query(
    db,
    `update suspects set acknowledged_at = now(), acknowledged_by = $2, reason = $3
     where (account = $1 or account_id = $1) and acknowledged_at is null returning 1`,
    [account, by, reason],
  )
  return rows.length > 0
}

export async function listSuspects(db: Db): Promise<Suspect[]> {
  return queryIso<Suspect & { accountId: string }>(
    db,
    `select account_id as "accountId", account, since, events, acknowledged_at as "acknowledgedAt",
       acknowledged_by as "acknowledgedBy", reason
     from suspects s order by s.since desc`,
  )
}
