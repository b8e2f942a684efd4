import type { CloudEvent } from '../../core/cloud-event.ts'
import { lateAfterMs, silenceId } from '../../core/rules/join/silence.ts'
import { query, type Db } from '../postgres/db.ts'

/** Requests of ours without a line, while somebody follows Pomerium's log. */
export interface Lineless {
  requests: number
  /** When the first of them was sent; null when there are none. */
  since: Date | null
}

/** Counts requests of the last hour that have had no line for longer than is allowed. None while nobody ever followed a log. */
export async function countLineless(db: Db, graceMs: number): Promise<Lineless> {
  const [row] = await query<Lineless & { requests: number }>(
    db,
    `select count(*)::int as requests, min(g.sent_at) as since from gateway_requests g
     where g.sent_at > now() - interval '1 hour' and g.sent_at < now() - make_interval(secs => $1::float8 / 1000.0)
       and g.status is not null
       -- A host that no route serves has no line.
       and (g.status <> 404 or g.rpc_method is null)
       and (exists (select 1 from log_positions) or exists (select 1 from processes where role = 'log'))
       and not exists (select 1 from authorize_events e where e.gateway_request = g.request_id_sent)`,
    [lateAfterMs(graceMs)],
  )
  return row ?? { requests: 0, since: null }
}

/** Puts an alarm about the log itself into the outbox: one an hour, however many processes notice. False when there was one. */
export async function raiseSilence(db: Db, bodyOf: (id: string) => CloudEvent): Promise<boolean> {
  const [row] = await query<{ now: Date }>(db, 'select now() as now')
  const id = silenceId(row?.now ?? new Date())
  const rows = await query(db, 'insert into alarms (id, body) values ($1, $2) on conflict do nothing returning 1', [
    id,
    JSON.stringify(bodyOf(id)),
  ])
  return rows.length > 0
}
