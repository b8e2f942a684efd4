import { query, type Db } from '../postgres/db.ts'

/** How many of the latest lines of the log have what the join needs. */
export interface LogFields {
  lines: number
  /** With the MCP method, and of these the calls of tools. */
  methods: number
  calls: number
  /** With the digest of a call's arguments. */
  params: number
  /** With the run's header. */
  headers: number
  /** When the first answered request was sent of those that are newer than the newest line, and older than `lagMs`; null when the log was read since. */
  unreadSince: Date | null
}

const LATEST = 500

/** Counts over the lines that were read last. */
export async function countLogFields(db: Db, lagMs: number): Promise<LogFields> {
  const [row] = await query<LogFields & { lines: number }>(
    db,
    `select count(*)::int as lines, count(mcp_method)::int as methods,
       (count(*) filter (where mcp_method = 'tools/call'))::int as calls,
       count(params_digest)::int as params, count(run_header)::int as headers,
       (select min(sent_at) from gateway_requests
        where status is not null and sent_at < now() - make_interval(secs => $1 / 1000.0)
          and sent_at > (select max(time) from authorize_events where time <= now()) + interval '1 minute') as "unreadSince"
     from (select * from authorize_events order by id desc limit ${LATEST}) latest`,
    [lagMs],
  )
  return row ?? { lines: 0, methods: 0, calls: 0, params: 0, headers: 0, unreadSince: null }
}
