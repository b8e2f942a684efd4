import type { Actor } from '../core/acts.ts'
import { Failure } from '../core/failure.ts'
import type { Job } from '../jobs/job.ts'
import type { Db } from '../store/postgres/db.ts'
import type { RunFilter } from '../store/runs/filter.ts'
import { groupRuns, type RunGroup } from '../store/runs/list.ts'
import { RETRYABLE, retryRuns } from '../store/runs/retry.ts'
import { queueRun, type RunParts, type RunRequest } from './create.ts'
import { requireFilter, requireStatus } from './lookup.ts'

export interface RetryParts extends RunParts {
  jobs: ReadonlyMap<string, Job>
}

/**
 * The runs that a retry of this filter would queue, by job, status and code. `FILTER_INVALID` when the filter says nothing, `RUN_UNKNOWN` for a run that is named and that there is
 * not, `RUN_NOT_RETRYABLE` when runs are named and none of them may be retried.
 */
export async function planRetry(db: Db, filter: RunFilter): Promise<RunGroup[]> {
  const { ids } = requireFilter(filter)
  for (const id of ids ?? []) await requireStatus(db, id)
  const groups = await groupRuns(db, filter, RETRYABLE)
  if (groups.length === 0 && ids !== undefined)
    throw new Failure({
      code: 'RUN_NOT_RETRYABLE',
      message: 'None of these runs is failed, incomplete, cancelled or waiting and has its input still (retention removes it).',
    })
  return groups
}

/** Queues all runs that the filter means and that are not green, as they were defined or as their jobs are now. Returns how many. */
export async function retryByFilter(
  { db, producer, jobs }: RetryParts,
  filter: RunFilter,
  definition: 'pinned' | 'latest',
  by: Actor,
): Promise<number> {
  const latest =
    definition === 'pinned'
      ? []
      : [...jobs.values()].map(({ name, version, definition: now }) => ({ job: name, version, account: now.account, definition: now }))
  const runs = await retryRuns(db, filter, latest, by)
  producer.wakeSoon(runs)
  return runs.length
}

/** Other input is another run: a new one with `retryOf`, of the job as it is now. Returns its id. */
export async function retryWithInput(
  { jobs, ...parts }: RetryParts,
  runId: string,
  { input, requestedBy, trigger }: Required<Pick<RunRequest, 'input' | 'trigger'>> & { requestedBy: string },
): Promise<string> {
  const { job: name } = await requireStatus(parts.db, runId)
  const job = jobs.get(name)
  if (!job) throw new Failure({ code: 'JOB_UNKNOWN', message: `The job ${name} is no more.` })
  return queueRun(parts, job, { trigger, input, requestedBy, retryOf: runId })
}

/** Lets a run go on. `RUN_UNKNOWN`, and `RUN_NOT_RETRYABLE` for a run that is green or not over. */
export async function retryRun(parts: RetryParts, runId: string, definition: 'pinned' | 'latest', by: Actor): Promise<void> {
  if ((await retryByFilter(parts, { ids: [runId] }, definition, by)) > 0) return
  const { status } = await requireStatus(parts.db, runId)
  throw new Failure({ code: 'RUN_NOT_RETRYABLE', message: `Run ${runId} is ${status}, or retention removed its input.` })
}
