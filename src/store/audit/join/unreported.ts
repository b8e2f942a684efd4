import type { CloudEvent } from '../../../core/cloud-event.ts'
import { UNREPORTED, type Unreported } from '../../../core/rules/join/unreported.ts'
import type { FinalStatus, Reason } from '../../../core/run.ts'
import { query, queryIso, type Db } from '../../postgres/db.ts'

/** A run that has ended, with how many unreported lines it has and what its reasons do not say of them yet. */
export interface UntoldRun {
  id: string
  conversation: number
  /** As it stands, or, when it stands otherwise since such lines were found, as it was decided. */
  status: FinalStatus
  reasons: Reason[]
  /** It stands as green. */
  isGreen: boolean
  job: string
  found: Unreported
}

const DECIDED = `coalesce(r.ended_as ->> 'status', r.status) as status, coalesce((r.ended_as ->> 'reasons')::json, r.reasons) as reasons`
/** What the gateway could not look into may be one. */
const IS_CALL = `coalesce(mcp_method, 'tools/call') = 'tools/call' and method = 'POST'`
const COUNTS = `count(*)::int as lines, (count(*) filter (where ${IS_CALL}))::int as calls`

/** Ids of runs that have ended and whose reasons do not tell all that was found, in their order. */
export async function listUntold(db: Db, { after, limit }: { after: string; limit: number }): Promise<string[]> {
  const rows = await query<{ id: string }>(
    db,
    'select id from runs where untold and finished_at is not null and id > $1 order by id limit $2',
    [after, limit],
    'untold runs',
  )
  return rows.map(({ id }) => id)
}

export async function loadUntold(db: Db, ids: readonly string[]): Promise<UntoldRun[]> {
  const rows = await query<Omit<UntoldRun, 'found'> & Unreported & { id: string }>(
    db,
    `select r.id, r.conversation, r.job, r.status = 'succeeded' as "isGreen", ${DECIDED}, e.lines, e.calls
     from runs r cross join lateral (select ${COUNTS} from authorize_events where run_id = r.id and matched_by = 'unreported') e
     where r.id = any($1) and r.untold and r.finished_at is not null`,
    [ids],
  )
  return rows.map(({ lines, calls, ...run }) => ({ ...run, found: { lines, calls } }))
}

/** How the end of a run reads with what was found, with an event that is sent as alarms are. What it was decided to be is kept beside it, for evidence. False when the run went on meanwhile. */
export async function tellUnreported(
  db: Db,
  { id, conversation, found }: Pick<UntoldRun, 'id' | 'conversation' | 'found'>,
  end: { status: FinalStatus; reasons: readonly Reason[] },
  event: CloudEvent | undefined,
): Promise<boolean> {
  const rows = await query(
    db,
    `with changed as (
     update runs r set
       status = $3, reasons = $4, unreported = $6, untold = false,
       codes = array_remove(codes, $5) || case when $9 then array[$5] else '{}'::text[] end,
       ended_as = coalesce(r.ended_as, json_build_object('status', r.status, 'reasons', r.reasons::text, 'codes', r.codes::text))
     where id = $1 and conversation = $2 and finished_at is not null and untold returning 1),
     told as (insert into alarms (id, body) select $7::uuid, $8::json from changed where $7::uuid is not null)
     select 1 from changed`,
    [
      id,
      conversation,
      end.status,
      JSON.stringify(end.reasons),
      UNREPORTED,
      found.lines,
      event?.id ?? null,
      event ? JSON.stringify(event) : null,
      end.reasons.some(({ code }) => code === UNREPORTED),
    ],
  )
  return rows.length > 0
}

/** Unreported lines of a run from before its last conversation, which its next end has to tell. */
export async function countEarlierUnreported(db: Db, runId: string): Promise<Unreported> {
  const [row] = await query<Unreported & { lines: number }>(
    db,
    `select ${COUNTS} from authorize_events e
     where e.run_id = $1 and e.matched_by = 'unreported' and e.time < (
       select min(a.started_at) from attempts a join runs r on r.id = a.run_id and r.conversation = a.conversation where a.run_id = $1)`,
    [runId],
    'earlier unreported',
  )
  return row ?? { lines: 0, calls: 0 }
}

/** A run with lines that its provider did not report, or could not. */
export interface UnreportedRun extends Unreported {
  runId: string
  job: string
  status: string
  account: string
  /** Calls beside those, of an answer that was lost: it could not be reported, and stands against nothing. */
  lost: number
  from: string
  until: string
}

/** The runs with such lines, those with the newest ones first. */
export async function listUnreportedRuns(
  db: Db,
  { since, account, limit }: { since: Date | undefined; account: string | undefined; limit: number },
): Promise<UnreportedRun[]> {
  return queryIso<UnreportedRun & { runId: string }>(
    db,
    `select r.id as "runId", r.job, r.status, r.account, e.lines, e.calls, e.lost, e."from", e.until
     from (select run_id, (count(*) filter (where matched_by = 'unreported'))::int as lines,
         (count(*) filter (where matched_by = 'unreported' and ${IS_CALL}))::int as calls,
         (count(*) filter (where matched_by = 'lost-answer'))::int as lost, min(time) as "from", max(time) as until
       from authorize_events where matched_by in ('unreported', 'lost-answer') and ($1::timestamptz is null or time >= $1) group by 1) e join runs r on r.id = e.run_id
     where $2::text is null or r.account = $2 order by e.until desc, r.id limit $3`,
    [since ?? null, account ?? null, limit],
  )
}
