import { Failure } from '../core/failure.ts'
import type { RunStatus } from '../core/run.ts'
import type { RunView } from '../core/view.ts'
import type { Job } from '../jobs/job.ts'
import { nearest } from '../lib/near.ts'
import { showLine } from '../lib/text.ts'
import type { Db } from '../store/postgres/db.ts'
import { isEmptyFilter, type RunFilter } from '../store/runs/filter.ts'
import { findIds, latestId, loadRun, loadStatus } from '../store/runs/show.ts'

export type { Job }

/** Characters of a name that somebody gave: it may be anything, of any length. */
const MAX_NAME = 80

const named = (name: string) => showLine(name.slice(0, MAX_NAME))
const unknownRun = (id: string) => new Failure({ code: 'RUN_UNKNOWN', message: `There is no run ${named(id)}.` })

/** A part of an id: what is left of `run_019a…`, `…0efbde04` and their like. */
const PART = /^(?:run_|…)?([0-9a-f-]{4,})…?$/
const MOST_ALIKE = 4

/**
 * The id that somebody means by `latest`, by an id, or by the beginning or the end of one. `RUN_UNKNOWN` when there is none like it, `COMMAND_INVALID` when
 * there are several.
 */
export async function requireId(db: Db, given: string): Promise<string> {
  if (given === 'latest') {
    const id = await latestId(db)
    if (id === undefined) throw new Failure({ code: 'RUN_UNKNOWN', message: 'There are no runs yet.' })
    return id
  }
  if (await loadStatus(db, given)) return given
  const part = PART.exec(given)?.[1]
  const ids = part === undefined ? [] : await findIds(db, part, MOST_ALIKE)
  const [id] = ids
  if (id === undefined) throw unknownRun(given)
  if (ids.length > 1)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `Several runs have an id like ${named(given)}: ${ids.join(', ')}${ids.length === MOST_ALIKE ? ' and perhaps more' : ''}.`,
      cure: 'Write more of it.',
    })
  return id
}

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
  throw unknownJob(name, [...jobs.keys()], issues)
}

/** That there is no job of a name, with those that there are, and the faults of files whose job it may be. */
export function unknownJob(name: string, known: readonly string[], issues: readonly string[] = []): Failure {
  const faults = issues.length > 0 ? ` Files with faults were left out:\n  ${issues.join('\n  ')}\n` : ''
  const near = nearest(name.slice(0, MAX_NAME), known)
  return new Failure({
    code: 'JOB_UNKNOWN',
    message: `There is no job ${named(name)}; there are ${known.join(', ') || 'none'}.${faults}`,
    ...(near !== undefined ? { cure: `Did you mean ${near}?` } : issues.length > 0 && { cure: 'Correct the files that are named.' }),
  })
}

/** The filter itself. `FILTER_INVALID` when it says nothing: what changes runs is never meant for every run by an oversight. */
export function requireFilter(filter: RunFilter): RunFilter {
  if (isEmptyFilter(filter)) throw new Failure({ code: 'FILTER_INVALID', message: 'The filter is empty: it would mean every run.' })
  return filter
}
