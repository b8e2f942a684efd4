import type { Actor } from '../../core/acts.ts'
import type { Wake } from '../../core/ports/wake.ts'
import { actUponRuns } from '../acts/write.ts'
import { createParameters } from '../postgres/parameters.ts'
import { query, slowTransaction, type Db } from '../postgres/db.ts'
import { whereOf, type RunFilter } from './filter.ts'
import { KEEP_VERSIONS } from './insert.ts'
import { WAKEABLE } from './wakeable.ts'

/** A version of a job. */
export interface JobDefinitionRef {
  job: string
  version: string
  account: string
  definition: unknown
}

/** Statuses after which an operator may let a run go on. A green run never runs again. */
export const RETRYABLE = ['failed', 'incomplete', 'cancelled', 'waiting'] as const
/** A run whose input was removed by retention cannot be retried. */
const canBeRetried = (statuses: string) => `status = any(${statuses}::text[]) and pruned_at is null`

/**
 * Queues the runs that the filter means and that may be retried, each as a new conversation of the same run: what earlier attempts gave stays
 * in their rows, and what the run had come to in `run_ends`. Runs of a job in `latest` go over to that definition, the others keep theirs.
 */
export async function retryRuns(db: Db, filter: RunFilter, latest: readonly JobDefinitionRef[], by: Actor): Promise<Wake[]> {
  const { add, values } = createParameters()
  const [statuses, jobs] = [add(RETRYABLE), add(latest.map(({ job }) => job))]
  const [versions, accounts] = [add(latest.map(({ version }) => version)), add(latest.map(({ account }) => account))]
  const { text: _text, ids: _ids, ...said } = filter
  const detail = { filter: said, definition: latest.length > 0 ? 'latest' : 'pinned' }
  const act = actUponRuns(add, { act: 'retry', by, detail }, 'moved')
  const meant = whereOf(filter, values.length + 1)
  return slowTransaction(db, async (client) => {
    await query(client, KEEP_VERSIONS, [
      latest.map(({ job }) => job),
      latest.map(({ version }) => version),
      latest.map(({ definition }) => JSON.stringify(definition)),
    ])
    return query<Wake>(
      client,
      `with meant as (select id from runs where ${meant.sql} and ${canBeRetried(statuses)} order by id for update),
       kept as (
         update attempts a set output = r.output, output_text = r.output_text, ending = r.ending, mended = r.mended,
           reasons = r.reasons
         -- An end without an attempt of its own, such as a cancellation before a claim, leaves the one of an earlier conversation as it is.
         from runs r where r.id in (select id from meant) and a.run_id = r.id and a.number = r.attempts and a.conversation = r.conversation),
       recalled as (
         update deliveries set status = 'skipped', ended_at = now(),
           error = 'The run was retried before its report was sent.'
         where run_id in (select id from meant) and status = 'pending'),
       moved as (
       update runs set
         status = 'queued', conversation = conversation + 1, holds = holds + 1, finished_at = null,
         -- What it waited for, and what was asked of it, is over.
         waits_for = null, cancel_requested_at = null, next_attempt_at = null, expire_at = null,
         after_run = null, held_by = null,
         -- Its next end is signed, also when it comes without another attempt.
         checkpointed_attempts = null,
         failure = null, reasons = '[]', codes = '{}',
         output = null, output_text = null, ending = null, mended = '[]', output_digest = null,
         job_version = coalesce(
           (select n.version from unnest(${jobs}::text[], ${versions}::text[]) as n(job, version) where n.job = runs.job), job_version),
         account = coalesce(
           (select n.account from unnest(${jobs}::text[], ${accounts}::text[]) as n(job, account) where n.job = runs.job), account)
       where id in (select id from meant)
       returning ${WAKEABLE}, job, conversation - 1 as conversation, attempts as attempt),
       ${act}
       select id, round, priority, "inMs" from moved`,
      [...values, ...meant.values],
    )
  })
}
