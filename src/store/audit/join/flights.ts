import type { Flight } from '../../../core/rules/join/doubt.ts'
import { query, type Db } from '../../postgres/db.ts'

/**
 * Requests under way of accounts whose answers are awaited. Without those of accounts whose ids Pomerium kept in each of the latest answers of an hour: a line
 * of such a request has the id that we sent, and is known by it.
 */
export async function listFlights(db: Db, accountIds: readonly string[]): Promise<Flight[]> {
  return query<Flight & { accountId: string }>(
    db,
    `with unkept as (
       select k.account_id from unnest($1::text[]) k(account_id)
       where (select bool_and(latest.kept) from (
           select g.request_id = g.request_id_sent::text as kept from gateway_requests g
           where g.account_id = k.account_id and g.sent_at > now() - interval '1 hour' and g.request_id is not null
           order by g.sent_at desc limit 100) latest) is distinct from true)
     select coalesce(g.written_at, g.sent_at) as "sentAt", g.account_id as "accountId", g.method,
       split_part(lower(g.host), ':', 1) as host, g.rpc_method as "rpcMethod", text_of_json(t.tool) as tool
     from attempts a join gateway_requests g on g.run_id = a.run_id and g.attempt = a.number left join tool_calls t on t.id = g.tool_call_id
     where a.finished_at is null and g.account_id in (select account_id from unkept)
       and g.request_id is null and g.status is null and g.error is null
       and not exists (select 1 from authorize_events m where m.gateway_request = g.request_id_sent)`,
    [accountIds],
  )
}
