import { createBadRows, type BadRowLog } from '../bad-rows.ts'
import { slowQuery, type Db } from '../postgres/db.ts'

const UUID = `'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'`
/** By the id that Pomerium returned, or by the one that we sent when its answer was lost. */
const BY_ID = [
  ['request-id', 'g.request_id = e.request_id'],
  ['sent-id', `g.request_id_sent = case when e.request_id ~ ${UUID} then e.request_id::uuid end and g.request_id is null`],
] as const

/**
 * Explains events by the id of their request. A request explains one event, and only one of the same account, host and method. Returns how many
 * were explained.
 */
export async function matchByRequestId(db: Db, since: Date, log?: BadRowLog): Promise<number> {
  const rows = createBadRows({ db, duty: 'match', log })
  let matched = 0
  for (const [how, sameId] of BY_ID) {
    const explain = async (ids: readonly string[] | null) =>
      void (matched += (await slowQuery(db, statementFor(sameId), [since, how, ids])).length)
    await rows.all(() => listOpenIds(db, since), explain)
  }
  return matched
}

/** Events that are not explained, in the order in which requests explain them. */
async function listOpenIds(db: Db, since: Date): Promise<string[]> {
  const open = await slowQuery<{ id: string }>(
    db,
    'select id::text from authorize_events e where e.matched_by is null and e.time >= $1 order by e.time, e.id',
    [since],
  )
  return open.map(({ id }) => id)
}

const statementFor = (sameId: string) => `
  with found as (
    select e.id, g.request_id_sent, g.run_id, g.tool_call_id,
      row_number() over (partition by g.request_id_sent order by e.time, e.id) as of_request,
      row_number() over (partition by e.id order by g.sent_at, g.request_id_sent) as of_event,
      row_number() over (partition by g.tool_call_id order by g.sent_at, e.time, e.id) as of_call
    from authorize_events e join gateway_requests g on ${sameId} left join tool_calls t on t.id = g.tool_call_id
    where e.matched_by is null and e.time >= $1 and ($3::bigint[] is null or e.id = any($3))
      and e.method = g.method and e.host = split_part(lower(g.host), ':', 1)
      and (e.account_id = g.account_id or (e.account_id is null and g.status in (401, 302)))
      -- A request whose method was not known explains whatever is not a call.
      and (e.mcp_method is null or e.mcp_method = g.rpc_method or (g.rpc_method is null and e.mcp_method <> 'tools/call'))
      and (e.mcp_tool is null or t.id is null or e.mcp_tool = text_of_json(t.tool))
      and not exists (select 1 from authorize_events m where m.gateway_request = g.request_id_sent))
  update authorize_events e set matched_by = $2, gateway_request = f.request_id_sent, run_id = f.run_id,
    -- A call that was sent again has several requests; the row of one of them names it.
    tool_call_id = case when f.of_call = 1
      and not exists (select 1 from authorize_events m where m.tool_call_id = f.tool_call_id) then f.tool_call_id end
  from found f where e.id = f.id and e.matched_by is null and f.of_request = 1 and f.of_event = 1
  returning 1`
