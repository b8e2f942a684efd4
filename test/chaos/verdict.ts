import { query, type Db } from '../../src/store/postgres/db.ts'
import { effectOf, WORKS, type Effects, type WorkName } from './work.ts'

/** What must be zero. */
export interface Faults {
  /** Asked for and not there, or a result that was there and is gone or another one. */
  lost: number
  /** A call that is not repeatable took effect twice. */
  repeatedSideEffects: number
  /** Neither over nor waiting for a person. */
  stuck: number
  /** In a state that nothing moves on: waits for nothing that `show` names, has an attempt that is open though the run is not at work, or a report that nobody sends. */
  withoutExit: number
  /** Ended well, and an effect is missing or doubled, or what came of a call is not known; or is green though its model said that it could not do it. */
  wronglyGreen: number
  /** Calls of tools of ours that made a request to the gateway: they have no server, so that nothing would explain the line. */
  ownRequests: number
}

export interface Verdict {
  faults: Faults
  /** Runs by how they ended. */
  endings: Record<string, number>
  /** Attempts that were taken from their worker, and calls that were under way then: how much harm there was to stand. */
  harm: { attempts: number; calls: number }
  /** Calls by tool of ours that were made: an ending is a turn and no call. */
  own: Record<string, number>
  /** A line for each fault. */
  about: string[]
}

/** Ends of runs as they were seen while all went on, by run. */
export type SeenEnds = Map<string, string>

interface EndRow {
  id: string
  status: string
  code: string | null
  /** The codes against green. */
  reasons: string[]
  end: string
  unknown: boolean
}

/** The runs that are over. */
export async function lookAtEnds(db: Db): Promise<EndRow[]> {
  return query<EndRow>(
    db,
    `select id, status, failure ->> 'code' as code, array(select r ->> 'code' from json_array_elements(reasons) r) as reasons, concat_ws(' ', status, finished_at, output_digest, output_text::text) as end,
       exists (select 1 from tool_calls t where t.run_id = runs.id and not t.repeatable and t.status in ('sent', 'unknown')) as unknown
     from runs where finished_at is not null`,
  )
}

const WITHOUT_EXIT = `select id, 'waits for nothing that show names' as why from runs where status = 'waiting' and waits_for is null
  union all select a.run_id, 'an attempt is open, and the run is ' || r.status from attempts a join runs r on r.id = a.run_id where a.finished_at is null and r.status <> 'running'
  union all select run_id, 'its report was not sent: ' || coalesce(error, 'nobody tried') from deliveries where status in ('pending', 'failed')`

/** Each run of these jobs has a report for one place, for each end that it came to; none of them is retried here. */
const REPORTS_LOST = `select id from runs where finished_at is not null and not exists (select 1 from deliveries d where d.run_id = runs.id)`

/** Whether all reports of runs that are over were sent. */
export async function isDelivered(db: Db): Promise<boolean> {
  const [row] = await query<{ left: number }>(db, `select count(*)::int as left from deliveries where status = 'pending'`)
  return row?.left === 0
}

/** Counts what chaos must not do. */
export async function judge(db: Db, asked: ReadonlyMap<string, WorkName>, seen: SeenEnds, effects: Effects): Promise<Verdict> {
  const about: string[] = []
  const found = (what: string, id: string, why: string) => about.push(`${what}: ${id} (${asked.get(id) ?? 'unknown'}) ${why}`)
  const faults: Faults = { lost: 0, repeatedSideEffects: 0, stuck: 0, withoutExit: 0, wronglyGreen: 0, ownRequests: 0 }
  const endings: Record<string, number> = {}
  const states = new Map(
    (await query<{ id: string; status: string }>(db, 'select id, status from runs')).map(({ id, status }) => [id, status]),
  )
  const over = new Map((await lookAtEnds(db)).map((row) => [row.id, row]))
  for (const [id, name] of asked) {
    const status = states.get(id)
    const end = over.get(id)
    const ending = `${status ?? 'gone'}${end?.code ? ` ${end.code}` : ''}`
    endings[ending] = (endings[ending] ?? 0) + 1
    if (status === undefined || (seen.has(id) && seen.get(id) !== end?.end)) {
      faults.lost++
      found('lost', id, `${seen.get(id) ?? 'was asked for'}, and now ${end?.end ?? status ?? 'is not there'}`)
    }
    if (status !== undefined && !end && status !== 'waiting') {
      faults.stuck++
      found('stuck', id, `is ${status}`)
    }
    const { acts, looks, ends } = WORKS[name]
    const times = (tool: string, n: number) => effects.get(effectOf(id, tool, n)) ?? 0
    for (const n of acts) {
      if (times('act', n) < 2) continue
      faults.repeatedSideEffects++
      found('repeated', id, `act ${n} took effect ${times('act', n)} times`)
    }
    if (status === 'succeeded' && ends !== 'succeeded') {
      faults.wronglyGreen++
      found('wrongly green', id, 'its model said that it could not do it')
    }
    if (status !== 'succeeded' && !(status === ends && end?.reasons.every((code) => code === 'MODEL_INCOMPLETE'))) continue
    const missing = [...acts.filter((n) => times('act', n) !== 1), ...looks.filter((n) => times('look', n) === 0)]
    if (missing.length === 0 && end?.unknown === false) continue
    faults.wronglyGreen++
    found(
      'wrongly green',
      id,
      missing.length > 0 ? `effects ${missing.join(', ')} are not as they should be` : 'a call has no known outcome',
    )
  }
  for (const { id, why } of await query<{ id: string; why: string }>(db, WITHOUT_EXIT)) {
    faults.withoutExit++
    found('without exit', id, why)
  }
  for (const { id } of await query<{ id: string }>(db, REPORTS_LOST)) {
    faults.lost++
    found('lost', id, 'has no report')
  }
  const [harm = { attempts: 0, calls: 0 }] = await query<Verdict['harm']>(
    db,
    `select (select count(*)::int from attempts where status = 'lost') as attempts,
       (select count(*)::int from tool_calls t join attempts a on a.run_id = t.run_id and a.number = t.attempt where a.status <> 'succeeded' and t.status in ('sent', 'unknown')) as calls`,
  )
  const own = Object.fromEntries((await callsOfOurs(db)).map(({ tool, made }) => [tool, made]))
  const requests = await query<{ id: string; tool: string }>(
    db,
    `select t.run_id as id, t.tool::text as tool from tool_calls t join gateway_requests g on g.tool_call_id = t.id where t.server in ('', 'nightshift')`,
  )
  faults.ownRequests = requests.length
  for (const { id, tool } of requests) about.push(`a request for a tool of ours: ${id} ${tool}`)
  return { faults, endings, harm, own, about }
}

const callsOfOurs = (db: Db) =>
  query<{ tool: string; made: number }>(
    db,
    `select tool #>> '{}' as tool, count(*)::int as made from tool_calls where server = 'nightshift' or tool #>> '{}' like 'nightshift\\_\\_%' group by 1 order by 1`,
  )
