import type { Logger } from 'pino'
import { describeError } from '../../../core/failure.ts'
import { createGroupCommit } from '../../group-commit.ts'
import { query, slowQuery, type Db } from '../../postgres/db.ts'
import type { EventSpan } from './hosted.ts'

/** A request that came through the gateway, by the id that the gateway gave it. */
export interface ServedRequest {
  requestId: string
  /** Of the API’s route, without a port. */
  host: string
}

const MAX_BATCH = 500

/** Writes down requests that the API serves, before it does. Those of one turn of the event loop share a statement. One that cannot be written is served all the same. */
export function createServedRequests(db: Db, log: Pick<Logger, 'warn'>): (request: ServedRequest) => Promise<void> {
  const commit = createGroupCommit<ServedRequest>({
    keyOf: ({ requestId }) => requestId,
    async write(batch) {
      await query(
        db,
        `insert into served_requests (request_id, host) select * from unnest($1::text[], $2::text[])
         on conflict (request_id) do nothing`,
        [batch.map(({ requestId }) => requestId), batch.map(({ host }) => host)],
      )
      return []
    },
    isFaultOfOne: () => false,
    maxBatch: MAX_BATCH,
  })
  return (request) =>
    commit
      .add(request)
      .catch((error: unknown) =>
        log.warn(
          { ...request, reason: describeError(error) },
          'That the API serves a request could not be kept: its line may be taken for a thief’s.',
        ),
      )
}

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
