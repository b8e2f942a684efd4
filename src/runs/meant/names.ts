// A filter with a slip of the pen in a name means nothing, and "none" is no answer to that.
import { Failure } from '../../core/failure.ts'
import type { Job } from '../../jobs/job.ts'
import { suggest } from '../../lib/near.ts'
import { sentence, showLine } from '../../lib/text.ts'
import { matchesWildcard } from '../../lib/wildcard.ts'
import type { ActFilter } from '../../store/acts/list.ts'
import { isOfActs, listUsedNames } from '../../store/names.ts'
import type { Db } from '../../store/postgres/db.ts'
import type { RunFilter } from '../../store/runs/filter.ts'
import { listRuns } from '../../store/runs/list.ts'

/** Names that are known without a run. */
export interface ConfiguredNames {
  /** Of all job files, also of those with faults. */
  jobs: readonly string[]
  definitions: readonly Pick<Job, 'definition'>[]
  /** As their runs have it as `requestedBy`. */
  people: readonly string[]
}

type Configured = () => ConfiguredNames

/**
 * Refuses names that no run and no act has and that are in no file either, and says which one was meant: `JOB_UNKNOWN` for a job, `FILTER_INVALID` for who asked and a
 * tool. What is configured is read only for a name that no run has.
 */
export async function refuseUnknownNames(
  db: Db,
  { job, requestedBy, tool }: Pick<RunFilter, 'job' | 'requestedBy' | 'tool'>,
  configured: Configured,
): Promise<void> {
  if (job !== undefined && !(await isOfRun(db, { job }))) await refuseUnknownJob(db, job, configured())
  if (requestedBy !== undefined && !(await isOfRun(db, { requestedBy })))
    await refuseUnknownPerson(db, requestedBy, 'asked for a run', configured())
  if (tool !== undefined && !(await isOfRun(db, { tool }))) await refuseUnknownTool(db, tool, configured())
}

/**
 * A tag that no run has, with the one that was meant. A value may be anything that the caller calls its runs by, an order that has none yet, so that a list
 * tells it and only what acts upon runs refuses it.
 */
export async function unknownTag(db: Db, { tags = {} }: Pick<RunFilter, 'tags'>): Promise<Failure | undefined> {
  for (const [name, value] of Object.entries(tags)) {
    if (await isOfRun(db, { tags: { [name]: value } })) continue
    const tag = `${name}=${value}`
    return unknown(`No run has the tag ${named(tag)}.`, tag, (await listUsedNames(db)).tags)
  }
  return undefined
}

const isOfRun = async (db: Db, filter: RunFilter) => (await listRuns(db, filter, { limit: 1 })).length > 0

/** The same for a filter of acts: a person who only asked for runs is known. */
export async function refuseUnknownNamesOfActs(db: Db, { job, by }: Pick<ActFilter, 'job' | 'by'>, configured: Configured): Promise<void> {
  await refuseUnknownNames(db, { job }, configured)
  if (by !== undefined && !(await isOfRun(db, { requestedBy: by })))
    await refuseUnknownPerson(db, by, 'did anything to a run or a job', configured())
}

async function refuseUnknownJob(db: Db, job: string, { jobs }: ConfiguredNames): Promise<void> {
  if (jobs.includes(job) || (await isOfActs(db, { job }))) return
  const known = [...jobs, ...(await listUsedNames(db)).jobs]
  throw unknown(`There is no job ${named(job)}, and no run of one.`, job, known, 'JOB_UNKNOWN')
}

async function refuseUnknownPerson(db: Db, name: string, did: string, { people }: ConfiguredNames): Promise<void> {
  if (people.includes(name) || (await isOfActs(db, { by: name }))) return
  const known = [...people, ...(await listUsedNames(db)).people]
  // What a token did stands under `token:` and its name, which is easily left out.
  const meant = known.includes(`token:${name}`) ? `token:${name}` : name
  throw unknown(`Nobody of the name ${named(name)} ${did}.`, meant, known)
}

async function refuseUnknownTool(db: Db, tool: string, { definitions }: ConfiguredNames): Promise<void> {
  const allowed = definitions.flatMap(({ definition }) =>
    Object.entries(definition.tools).flatMap(([server, { allow }]) => allow.map((pattern) => `${server}.${pattern}`)),
  )
  if (allowed.some((pattern) => matchesWildcard(pattern, tool))) return
  const known = [...allowed.filter((pattern) => !pattern.includes('*')), ...(await listUsedNames(db)).tools]
  throw unknown(`No run called ${named(tool)}, and no job that can be read allows it.`, tool, known)
}

/** Of a name that somebody gave, which may be anything, so much is shown and compared. */
const MAX_NAME = 100

const named = (name: string) => showLine(name.slice(0, MAX_NAME))

function unknown(
  message: string,
  name: string,
  known: readonly string[],
  code: 'JOB_UNKNOWN' | 'FILTER_INVALID' = 'FILTER_INVALID',
): Failure {
  return new Failure({ code, message, cure: sentence(showLine(suggest(name.slice(0, MAX_NAME), [...new Set(known)].toSorted()))) })
}
