import { createHash } from 'node:crypto'
import type { CloudEvent } from '../../core/cloud-event.ts'
import { query, type Db } from '../postgres/db.ts'

/** Requests of ours without a line, while somebody follows Pomerium's log. */
export interface Lineless {
  requests: number
  /** When the first of them was sent; null when there are none. */
  since: Date | null
}

/** A follower that is started again reads on within this time. */
const LATE_MS = 5 * 60_000

/** Counts requests of the last hour that have had no line for longer than the grace time, or than any follower takes. None while nobody ever followed a log. */
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
    [Math.max(graceMs, LATE_MS)],
  )
  return row ?? { requests: 0, since: null }
}

/** Puts an alarm about the log itself into the outbox: one an hour, however many processes notice. False when there was one. */
export async function raiseSilence(db: Db, bodyOf: (id: string) => CloudEvent): Promise<boolean> {
  const [row] = await query<{ hour: number }>(db, 'select floor(extract(epoch from now()) / 3600)::int as hour')
  const id = uuidOf(`silence of the log ${row?.hour}`)
  const rows = await query(db, 'insert into alarms (id, body) values ($1, $2) on conflict do nothing returning 1', [
    id,
    JSON.stringify(bodyOf(id)),
  ])
  return rows.length > 0
}

/** The same id for the same text, in the form of a version 8 UUID. */
const uuidOf = (text: string) =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-8$3-8$4-$5')
