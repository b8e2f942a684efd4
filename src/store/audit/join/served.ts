import { slowQuery, type Db } from '../../postgres/db.ts'
import type { EventSpan } from './hosted.ts'

/** Between what the API and the gateway say of the time of one request, at most. */
const APART = `interval '1 hour'`

/**
 * Explains lines of requests that the API itself served: whoever calls it with an account of ours is no thief of what runs do. A request explains one line, which has its
 * id, is of the API's own host, and calls no tool. Returns how many.
 */
export async function explainServed(db: Db, { since, until, thorough }: EventSpan): Promise<number> {
  const rows = await slowQuery(
    db,
    `with found as (
       select e.id, row_number() over (partition by s.request_id order by e.time, e.id) as of_request
       from authorize_events e join served_requests s on s.request_id = e.request_id and s.host = e.host
       where e.matched_by is null and ($3 or e.alerted_at is null) and e.time >= $1 and e.time <= $2
         and e.mcp_method is null and e.time between s.served_at - ${APART} and s.served_at + ${APART}
         and not exists (select 1 from authorize_events m where m.request_id = s.request_id and m.host = s.host and m.matched_by = 'expected'))
     update authorize_events e set matched_by = 'expected' from found f where e.id = f.id and f.of_request = 1 returning 1`,
    [since, until, thorough],
  )
  return rows.length
}
