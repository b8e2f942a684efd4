import { createGroupCommit } from '../group-commit.ts'
import { query, type Db } from '../postgres/db.ts'

/** A request that came through the gateway, by the id that the gateway gave it. */
export interface ServedRequest {
  requestId: string
  /** Of the API’s route, without a port. */
  host: string
}

const MAX_BATCH = 500

/** Writes down requests that the API serves, before it does. Those of one turn of the event loop share a statement. */
export function createServedRequests(db: Db): (request: ServedRequest) => Promise<void> {
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
  return (request) => commit.add(request)
}
