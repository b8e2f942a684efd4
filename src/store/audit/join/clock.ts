import { query, type Db } from '../../postgres/db.ts'

const PAIRS = 100
/** Clocks that are further apart are not measured: what says so is more likely an old log, or a store that was put back. */
const MOST = "interval '1 hour'"

/** How far the gateway's clock is ahead of the store's, in milliseconds, by the requests that were joined with their line last; null when there are none. */
export async function gatewayClock(db: Db): Promise<{ aheadMs: number | null; pairs: number }> {
  const [row] = await query<{ aheadMs: number | null; pairs: number }>(
    db,
    // The times of lines are whole seconds: half a second is what is cut off.
    `select percentile_cont(0.5) within group (order by extract(epoch from ahead) * 1000 + 500)::int as "aheadMs", count(*)::int as pairs
     from (select e.time - g.written_at as ahead
       from (select id, time, gateway_request from authorize_events where gateway_request is not null order by id desc limit ${PAIRS}) e
         join gateway_requests g on g.request_id_sent = e.gateway_request) latest
     where ahead between - ${MOST} and ${MOST}`,
  )
  return row ?? { aheadMs: null, pairs: 0 }
}
