import type { FailureRecord } from '../../core/failure.ts'
import type { Wake } from '../../core/ports/wake.ts'
import type { AttemptRef, Ending, FinalStatus, Reason, Usage, Tags } from '../../core/run.ts'
import { storeText } from '../../lib/text.ts'
import { actUponRuns, type Canceller } from '../acts/write.ts'
import { postDeliveries, type NewDelivery } from '../delivery/post.ts'
import { query, retryWhileUnavailable, transaction, type Db } from '../postgres/db.ts'
import { createParameters, jsonOrNull } from '../postgres/parameters.ts'
import { hasEnded } from './suspend.ts'

export interface RunEnd {
  status: FinalStatus
  output?: unknown
  outputText?: string | undefined
  reasons: Reason[]
  failure: FailureRecord | null
  usage: Usage
  costUsd: number | null
  /** How the model ended it by a call instead of an answer. */
  ending?: Ending | undefined
  /** What was put right in the answer, a sentence each. */
  mended?: readonly string[]
  /** Digest of the output, for whoever wants to know whether it changed. */
  outputDigest?: string | undefined
  /** Words by which it is found. */
  searchText?: string
  /** Where the report goes: written with the end, so that none is forgotten. */
  deliveries?: readonly NewDelivery[]
}

export interface Finished {
  /** False: the attempt was not the open one, and nothing was written. */
  stillOwned: boolean
  /** Runs that waited for this one to be over. */
  next: Wake[]
}

/** Ends the attempt and the run together. */
export async function finishRun(db: Db, attempt: AttemptRef, end: RunEnd): Promise<Finished> {
  const { text, values } = finishStatement(attempt, end)
  const [row] = await retryWhileUnavailable(() => query<{ next: Wake[] }>(db, text, values, 'finish run'))
  return row ? { stillOwned: true, next: row.next } : { stillOwned: await hasEnded(db, attempt, end.status), next: [] }
}

function finishStatement(attempt: AttemptRef, end: RunEnd): { text: string; values: unknown[] } {
  const { add, values } = createParameters()
  const status = add(end.status)
  const failure = add(jsonOrNull(end.failure))
  const text = `with run as (
      -- Everybody locks first the run, then its attempt: two orders would deadlock.
      select id from runs where id = ${add(attempt.runId)} for no key update),
    ended as (
      update attempts set status = ${status}, failure = ${failure}, finished_at = now()
      where run_id = (select id from run) and number = ${add(attempt.number)} and token = ${add(attempt.token)}
        and finished_at is null
      returning run_id, number as attempt),
    posted as (${postDeliveries(add, end.deliveries)})
    update runs set
      status = ${status},
      failure = ${failure},
      reasons = ${add(JSON.stringify(end.reasons))},
      codes = ${add(codesOf(end))},
      output = ${add(end.output === undefined ? null : JSON.stringify(end.output))},
      output_text = ${add(jsonOrNull(end.outputText))},
      ending = ${add(jsonOrNull(end.ending))},
      mended = ${add(JSON.stringify(end.mended ?? []))},
      output_digest = ${add(end.outputDigest ?? null)},
      input_tokens = ${add(end.usage.inputTokens)},
      cached_tokens = ${add(end.usage.cachedTokens)},
      output_tokens = ${add(end.usage.outputTokens)},
      reasoning_tokens = ${add(end.usage.reasoningTokens)},
      cost_usd = ${add(end.costUsd)},
      words = to_tsvector('simple', ${add(storeText(end.searchText ?? ''))}),
      tools = array(
        select distinct t.server || '.' || text_of_json(t.tool) from tool_calls t
        where t.run_id = runs.id and t.status <> 'refused' and text_of_json(t.tool) is not null),
      finished_at = now()
    where id = (select run_id from ended)
    returning coalesce((
      select json_agg(json_build_object('id', l.id, 'round', l.attempts + l.holds, 'priority', l.priority))
      from runs l where l.after_run = runs.id and l.status = 'queued'), '[]') as next`
  return { text, values }
}

const codesOf = ({ failure, reasons }: RunEnd) => [...new Set([...(failure ? [failure.code] : []), ...reasons.map(({ code }) => code)])]

/** A run that no worker holds. */
export interface UnclaimedRun {
  id: string
  job: string
  account: string
  jobVersion: string
  tags: Tags
  definition: unknown
}

const UNCLAIMED = "status in ('queued', 'waiting') and finished_at is null"

/** The run, when no worker holds it. */
export async function loadUnclaimedRun(db: Db, runId: string): Promise<UnclaimedRun | undefined> {
  const [run] = await query<UnclaimedRun & { id: string }>(
    db,
    `select r.id, r.job, r.account, r.job_version as "jobVersion", r.tags, v.definition
     from runs r join job_versions v on v.job = r.job and v.version = r.job_version
     where r.id = $1 and r.${UNCLAIMED}`,
    [runId],
  )
  return run
}

/** Ends a run that no worker holds, with what is to be delivered of it; `by` is who cancelled it, null for an end that nobody asked for now. False when a worker holds it, or it is over. */
export async function finishUnclaimedRun(db: Db, runId: string, end: RunEnd, by: Canceller | null): Promise<boolean> {
  const { text, values } = finishUnclaimedStatement(runId, end, by)
  return transaction(db, async (client) => {
    // Waits for a run that is just being inserted to wait for this one, so that the statement sees it.
    await query(client, 'select 1 from runs where id = $1 for update', [runId])
    return (await query(client, text, values)).length > 0
  })
}

function finishUnclaimedStatement(runId: string, end: RunEnd, by: Canceller | null): { text: string; values: unknown[] } {
  const { add, values } = createParameters()
  const status = add(end.status)
  const text = `with ended as (
      update runs set
        status = ${status},
        failure = ${add(jsonOrNull(end.failure))},
        reasons = ${add(JSON.stringify(end.reasons))},
        codes = ${add(codesOf(end))},
        input_tokens = ${add(end.usage.inputTokens)},
        cached_tokens = ${add(end.usage.cachedTokens)},
        output_tokens = ${add(end.usage.outputTokens)},
        reasoning_tokens = ${add(end.usage.reasoningTokens)},
        cost_usd = ${add(end.costUsd)},
        words = to_tsvector('simple', ${add(storeText(end.searchText ?? ''))}),
        waits_for = null,
        cancel_requested_at = case when ${status} = 'cancelled' then coalesce(cancel_requested_at, now()) end,
        finished_at = now()
      where id = ${add(runId)} and ${UNCLAIMED}
      returning id as run_id, id, job, conversation, attempts as attempt, after_run),
    -- A run that waited for this one waits for what this one waited for (overlap: queue).
    handed_on as (
      update runs l set after_run = e.after_run from ended e where l.after_run = e.run_id),
    posted as (${postDeliveries(add, end.deliveries)})
    ${by ? `, ${actUponRuns(add, { act: 'cancel', by, detail: by.detail }, 'ended')}` : ''}
    select 1 from ended`
  return { text, values }
}
