import { Failure } from '../core/failure.ts'
import type { RunStatus } from '../core/run.ts'
import type { RunView } from '../core/view.ts'
import type { Job } from '../jobs/load.ts'
import { showLine } from '../lib/text.ts'
import type { Db } from '../store/postgres/db.ts'
import { isEmptyFilter, type RunFilter } from '../store/runs/filter.ts'
import { loadRun, loadStatus } from '../store/runs/show.ts'

export type { Job }

/** Characters of a name that somebody gave: it may be anything, of any length. */
const MAX_NAME = 80

const named = (name: string) => showLine(name.slice(0, MAX_NAME))
const unknownRun = (id: string) => new Failure({ code: 'RUN_UNKNOWN', message: `There is no run ${named(id)}.` })

/** Of which jobs somebody may see runs. Undefined: of all. A run of another is as one that there is not. */
type Visible = readonly string[] | undefined

/** The run, whole. `RUN_UNKNOWN` when there is none of that id, of the jobs `visible`. */
export async function requireRun(db: Db, id: string, visible?: Visible): Promise<RunView> {
  const run = await loadRun(db, id)
  if (!run || (visible && !visible.includes(run.job))) throw unknownRun(id)
  return run
}

/** The job and status of a run, which cost far less than the run. `RUN_UNKNOWN` when there is none of that id, of the jobs `visible`. */
export async function requireStatus(db: Db, id: string, visible?: Visible): Promise<{ job: string; status: RunStatus }> {
  const run = await loadStatus(db, id)
  if (!run || (visible && !visible.includes(run.job))) throw unknownRun(id)
  return run
}

/** The jobs of those that are named; undefined: all. */
export const pickJobs = (jobs: ReadonlyMap<string, Job>, names: Visible): ReadonlyMap<string, Job> =>
  names ? new Map([...jobs].filter(([name]) => names.includes(name))) : jobs

/** The name itself. `JOB_UNKNOWN` for one that is not among `visible`, whether there is such a job or not. */
export function requireJobName(jobs: ReadonlyMap<string, Job>, name: string, visible: Visible): string {
  return visible && !visible.includes(name) ? requireJob(pickJobs(jobs, visible), name).name : name
}

/** The job of that name. `JOB_UNKNOWN` when there is none, with those that there are, and the faults of files whose job it may be. */
export function requireJob(jobs: ReadonlyMap<string, Job>, name: string, issues: readonly string[] = []): Job {
  const job = jobs.get(name)
  if (job) return job
  const faults = issues.length > 0 ? ` Files with faults were left out:\n  ${issues.join('\n  ')}\n` : ''
  throw new Failure({
    code: 'JOB_UNKNOWN',
    message: `There is no job ${named(name)}; there are ${[...jobs.keys()].join(', ') || 'none'}.${faults}`,
  })
}

/** The filter itself. `FILTER_INVALID` when it says nothing: what changes runs is never meant for every run by an oversight. */
export function requireFilter(filter: RunFilter): RunFilter {
  if (isEmptyFilter(filter)) throw new Failure({ code: 'FILTER_INVALID', message: 'The filter is empty: it would mean every run.' })
  return filter
}
