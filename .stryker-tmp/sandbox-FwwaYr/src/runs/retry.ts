// @ts-nocheck
import { firstWake, type Waker } from '../core/ports/wake.ts'
import { Failure } from '../core/failure.ts'
import type { Job } from '../jobs/load.ts'
import type { Db } from '../store/postgres/db.ts'
import type { RunFilter } from '../store/runs/filter.ts'
import { retryRuns } from '../store/runs/retry.ts'
import { loadRun } from '../store/runs/show.ts'
import { createRun, type RunRequest } from './create.ts'

export interface RetryParts {
  db: Db
  producer: Pick<Waker, 'wakeSoon'>
  jobs: ReadonlyMap<string, Job>
}

/** Queues all runs that the filter means and that are not green, as they were defined or as their jobs are now. Returns how many. */
export async function retryByFilter(
  { db, producer, jobs }: RetryParts,
  filter: RunFilter,
  definition: 'pinned' | 'latest',
): Promise<number> {
  const latest =
    definition === 'pinned'
      ? []
      : [...jobs.values()].map(({ name, version, definition: now }) => ({ job: name, version, account: now.account, definition: now }))
  const runs = await retryRuns(db, filter, latest)
  producer.wakeSoon(runs)
  return runs.length
}

/** Other input is another run: a new one with `retryOf`. Returns its id. */
export async function retryWithInput(
  { db, producer, jobs }: RetryParts,
  runId: string,
  { input, requestedBy, trigger }: Required<Pick<RunRequest, 'input' | 'trigger'>> & { requestedBy: string },
): Promise<string> {
  const run = await loadRun(db, runId)
  const job = jobs.get(run?.job ?? '')
  if (!run || !job)
    throw new Failure({ code: 'RUN_UNKNOWN', message: run ? `The job ${run.job} is no more.` : `There is no run ${runId}.` })
  const id = await createRun(db, job, { trigger, input, requestedBy, retryOf: runId })
  producer.wakeSoon([firstWake(id)])
  return id
}
