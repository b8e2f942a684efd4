import { createBadRows, type BadRowLog } from '../../bad-rows.ts'
import { slowQuery, type Db } from '../../postgres/db.ts'

const UUID = `'^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'`

/** How lines were explained that give way to the request with their very id. */
const YIELDING = `('run-header', 'account', 'lost-answer', 'expected')`

export interface MatchRound {
  /** Events before it are not looked at. */
  since: Date
  /** Also those that raised an alarm, and those that something weaker than an id has explained. */
  thorough: boolean
}

/**
 * Explains events by the id of their request: the one that Pomerium returned, or the one that we sent where no answer is known. A request explains one event,
 * and only one of the same account, host and method. Both ids are looked at in one statement: between two, the answer of a request may come in. Returns how many
 * were explained.
 */
export async function matchByRequestId(db: Db, { since, thorough }: MatchRound, log?: BadRowLog): Promise<number> {
  if (thorough) await slowQuery(db, RELEASE, [since])
  let matched = 0
  const explain = async (ids: readonly string[] | null) => void (matched += (await slowQuery(db, EXPLAIN, [since, thorough, ids])).length)
  await createBadRows({ db, duty: 'match', log }).all(() => listOpenIds(db, since), explain)
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

/** A line that was taken for a request by the id that we sent is not its line when Pomerium answered with another. */
const RELEASE = `
  update authorize_events e set matched_by = null, gateway_request = null, run_id = null, tool_call_id = null
  from gateway_requests g
  where e.matched_by = 'sent-id' and e.time >= $1 and g.request_id_sent = e.gateway_request and g.request_id <> e.request_id`

const EXPLAIN = `
  with open as (
    select * from authorize_events where matched_by is null and alerted_at is null and time >= $1
    union all
    select * from authorize_events where $2 and matched_by is null and alerted_at is not null and time >= $1
    union all
    select * from authorize_events where $2 and matched_by in ${YIELDING} and time >= $1
    union all
    select * from authorize_events where $2 and matched_by = 'unreported' and time >= $1
    union all
    -- Without an account, since its token was refused: it stands aside by then.
    select e.* from gateway_requests g join authorize_events e on e.request_id = g.request_id
    where $2 and g.status in (401, 302) and g.sent_at >= $1 and e.account_id is null and e.matched_by = 'foreign'),
  same as (
    select e.*, 'request-id' as how, g.request_id_sent from open e join gateway_requests g on g.request_id = e.request_id
    union all
    select e.*, 'sent-id', g.request_id_sent
    from open e join gateway_requests g on g.request_id_sent = case when e.request_id ~ ${UUID} then e.request_id::uuid end
    where g.request_id is null),
  found as (
    select e.id, e.how, g.request_id_sent, g.run_id, g.tool_call_id, case when e.matched_by = 'unreported' then e.run_id end as told_of,
      row_number() over (partition by g.request_id_sent order by e.time, e.id) as of_request,
      row_number() over (partition by e.id order by g.sent_at, g.request_id_sent) as of_event,
      row_number() over (partition by g.tool_call_id order by g.sent_at, e.time, e.id) as of_call
    from same e join gateway_requests g using (request_id_sent) left join tool_calls t on t.id = g.tool_call_id
    where ($3::bigint[] is null or e.id = any($3))
      and e.method = g.method and e.host = split_part(lower(g.host), ':', 1)
      and (e.account_id = g.account_id or (e.account_id is null and g.status in (401, 302)))
      -- A request whose method was not known explains whatever is not a call.
      and (e.mcp_method is null or e.mcp_method = g.rpc_method or (g.rpc_method is null and e.mcp_method <> 'tools/call'))
      and (e.mcp_tool is null or t.id is null or e.mcp_tool = text_of_json(t.tool))
      and not exists (select 1 from authorize_events m where m.gateway_request = g.request_id_sent)),
  explained as (
  update authorize_events e set matched_by = f.how, gateway_request = f.request_id_sent, run_id = f.run_id,
    -- A call that was sent again has several requests; the row of one of them names it.
    tool_call_id = case when f.of_call = 1
      and not exists (select 1 from authorize_events m where m.tool_call_id = f.tool_call_id and m.id <> e.id) then f.tool_call_id end
  from found f where e.id = f.id and e.gateway_request is null and f.of_request = 1 and f.of_event = 1
  returning f.told_of),
  -- Its reasons tell of a line that is a request of ours.
  marked as (update runs set untold = true where id in (select told_of from explained))
  select 1 from explained`
