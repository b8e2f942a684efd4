// @ts-nocheck
import type { RequestJournal } from '../../core/ports/journal.ts'
import { storeText } from '../../lib/text.ts'
import { query, type Db } from '../postgres/db.ts'

/** Writes requests to the gateway that belong to no run: no line of Pomerium's log is left without its request. */
export function createRequestLog(db: Db): RequestJournal {
  return {
    async gatewayRequest(g) {
      await query(
        db,
        `insert into gateway_requests (request_id_sent, account, account_id, method, host, path, rpc_method, server, request_bytes, sent_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
        [g.requestIdSent, g.account, storeText(g.accountId), g.method, g.host, g.path, g.rpcMethod, g.server, g.requestBytes, g.sentAt],
      )
    },
    async gatewayRequestEnd(e) {
      await query(
        db,
        'update gateway_requests set request_id = $2, status = $3, response_bytes = $4, error = $5, duration_ms = $6 where request_id_sent = $1',
        [e.requestIdSent, e.requestId, e.status, e.responseBytes, e.error === null ? null : storeText(e.error), e.durationMs],
      )
    },
  }
}
