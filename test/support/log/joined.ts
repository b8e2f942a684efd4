import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { importLog } from '../../../src/audit/log/import.ts'
import { joinEvents, type JoinTime, type MatchOptions } from '../../../src/audit/join/match.ts'
import { auditReport } from '../../../src/audit/report.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { authorizeLine } from './log-lines.ts'

export const RUN = 'run_of_the_join'
const START = Date.parse('2026-11-24T10:00:00Z')
/** Times in seconds after the run began, by the clock of the store. */
export const at = (seconds: number) => new Date(START + seconds * 1000)

interface Request {
  id?: string
  /** What Pomerium answered with; null: no answer yet. */
  returned?: string | null
  status?: number | null
  rpc?: string | null
  seconds?: number
  tool?: string
}

/** A run with its requests and lines, whose rows a test writes one by one, and a clock that the test sets. */
export async function joinOf(db: Db, delegate: 'local' | 'hosted') {
  const ours = [{ accountId: 'sa-reports', account: 'reports' }]
  let now = at(600)
  let asOf: JoinTime = { now, aheadMs: 0 }
  await query(db, 'insert into job_versions (job, version, definition) values ($1, $2, $3)', [
    'work',
    'v1',
    JSON.stringify({ delegate, tools: { counting: { allow: ['act', 'look'] } }, limits: { toolCalls: 5 } }),
  ])
  await query(
    db,
    `insert into runs (id, job, job_version, status, trigger, input, account, attempts, started_at)
     values ($1, 'work', 'v1', 'running', '{"kind":"cli"}', '{}', 'reports', 1, $2)`,
    [RUN, at(0)],
  )
  await query(
    db,
    `insert into attempts (run_id, number, token, worker, conversation, job_version, status, started_at)
     values ($1, 1, gen_random_uuid(), 'one', 1, 'v1', 'running', $2)`,
    [RUN, at(0)],
  )
  await query(db, 'insert into responses (run_id, turn, attempt, background) values ($1, 1, 1, false)', [RUN])

  const answered = (id: string, returned: string, status = 200) =>
    query(db, 'update gateway_requests set request_id = $2, status = $3 where request_id_sent = $1', [id, returned, status])

  const called = async (tool: string, args: unknown, position = 0) => {
    const id = randomUUID()
    await query(
      db,
      `insert into tool_calls (id, run_id, attempt, turn, position, call_id, server, tool, arguments, repeatable, status)
       values ($1, $2, 1, 1, $3, '"c"', 'counting', $4, $5, false, 'ok')`,
      [id, RUN, position, JSON.stringify(tool), JSON.stringify(args)],
    )
    return id
  }

  async function sent({ id = randomUUID(), returned = null, status = null, rpc = 'tools/call', seconds = 1, tool }: Request = {}) {
    const callId = tool === undefined ? null : await called(tool, {})
    await query(
      db,
      `insert into gateway_requests (request_id_sent, run_id, attempt, tool_call_id, account, account_id, method, host, path, rpc_method, server, request_bytes, sent_at, written_at)
       values ($1, $2, 1, $3, 'reports', 'sa-reports', 'POST', 'counting.localhost.pomerium.io:8443', '/mcp', $4, 'counting', 0, $5, $5)`,
      [id, RUN, callId, rpc, at(seconds)],
    )
    if (returned !== null) await answered(id, returned, status ?? 200)
    return id
  }

  return {
    ours,
    sent,
    answered,
    called,
    setNow: (seconds: number) => (now = at(seconds)),
    /** A line of the log; by default one of the run's hosted calls. */
    line: (seconds: number, fields: Record<string, unknown> = {}) =>
      authorizeLine({ time: at(seconds).toISOString(), headers: { 'X-Nightshift-Run-Id': RUN }, ...fields }),
    read: (lines: readonly string[]) => importLog(Readable.from([Buffer.from(lines.join('\n'))]), { db, paramsBytes: 0 }),
    async match(extra: Partial<MatchOptions> = {}) {
      const joined = await joinEvents({ db, ours: () => ours, expected: [], graceMs: 30_000, now: () => now, ...extra })
      asOf = joined.asOf
      return joined.matched
    },
    /** As of the time when lines were joined last. */
    report: () => auditReport(db, ours, { graceMs: 30_000, asOf }),
    /** The whole answer was read. */
    answeredWhole: () =>
      query(
        db,
        `insert into turns (run_id, number, attempt, items, stop_reason, model, input_tokens, cached_tokens, output_tokens, reasoning_tokens, started_at, finished_at)
         values ($1, 1, 1, '[]', 'stop', 'm', 0, 0, 0, 0, $2, $2)`,
        [RUN, at(0)],
      ),
    async ended(seconds: number) {
      await query(db, `update attempts set status = 'succeeded', finished_at = $2 where run_id = $1`, [RUN, at(seconds)])
      await query(db, `update runs set status = 'succeeded', finished_at = $2 where id = $1`, [RUN, at(seconds)])
    },
    how: async () =>
      (await query<{ how: string | null }>(db, 'select matched_by as how from authorize_events order by time, id')).map(({ how }) => how),
  }
}
