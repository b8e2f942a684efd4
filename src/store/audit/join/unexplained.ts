import { slowQuery, type Db } from '../../postgres/db.ts'
import { idsAndNames, type OurAccount } from '../accounts.ts'

export interface OpenEvent {
  id: string
  time: Date
  requestId: string
  accountId: string
  /** The account's name here, as far as it is known. */
  account: string | null
  method: string
  host: string
  path: string
  ip: string
  mcpMethod: string | null
  mcpTool: string | null
  runHeader: string | null
  allowed: boolean
  alerted: boolean
}

export interface OpenFilter {
  /** Events up to this time, by the clock of the gateway. */
  until: Date
  since?: Date | undefined
  account?: string | undefined
  /** Only those that no alarm was raised for. */
  fresh?: boolean
  limit: number
}

/** Where a page of events begins: after this one. */
export interface EventPlace {
  time: Date
  id: string
}

/** Events of our accounts that nothing explains, oldest first: a page of them. */
export async function listOpenEvents(
  db: Db,
  ours: readonly OurAccount[],
  { until, since, account, fresh = false, limit }: OpenFilter,
  after?: EventPlace,
): Promise<OpenEvent[]> {
  return slowQuery<OpenEvent>(
    db,
    `with open as (
       select * from authorize_events e
       where e.matched_by is null and e.account_id is not null ${fresh ? 'and e.alerted_at is null' : ''}
         and e.time <= $3 and ($4::timestamptz is null or e.time >= $4)
         and ($7::timestamptz is null or e.time > $7 or (e.time = $7 and e.id > $8))),
     known as (
       select k.account_id, account_of(k.account_id, $1, $2) as account
       from (select distinct account_id from open) k)
     select e.id::text, e.time, e.request_id as "requestId", e.account_id as "accountId", o.account, e.method,
       e.host, e.path, e.ip, e.mcp_method as "mcpMethod", e.mcp_tool as "mcpTool", e.run_header as "runHeader",
       e.allowed, e.alerted_at is not null as alerted
     from open e join known o on o.account_id = e.account_id
     where o.account is not null and ($5::text is null or o.account = $5)
     order by e.time, e.id limit $6`,
    [...idsAndNames(ours), until, since ?? null, account ?? null, limit, after?.time ?? null, after?.id ?? null],
  )
}
