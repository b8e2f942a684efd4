import { Failure } from '../../core/failure.ts'
import type { FailureCode } from '../../core/failure-codes.ts'
import type { RunStatus, Tags } from '../../core/run.ts'
import { storeText } from '../../lib/text.ts'

/** Which runs are meant. Empty: all. */
export interface RunFilter {
  job?: string | undefined
  /** Of these jobs alone. It narrows what is meant and does not say it. */
  jobs?: readonly string[] | undefined
  status?: readonly RunStatus[] | undefined
  /** Of the failure or of a reason. */
  code?: FailureCode | undefined
  requestedBy?: string | undefined
  /** Created at or after, and before. */
  since?: Date | undefined
  until?: Date | undefined
  /** Ended at or after, and before. */
  endedSince?: Date | undefined
  endedUntil?: Date | undefined
  /** `server.tool` that was called. */
  tool?: string | undefined
  /** With all of these. */
  tags?: Tags | undefined
  /** Words of the output or of the failure. */
  text?: string | undefined
  /** Queued, and kept from starting by a pause or by a limit. */
  held?: true | undefined
  /** Only these. */
  ids?: readonly string[] | undefined
}

export const isEmptyFilter = (filter: RunFilter): boolean =>
  Object.values({ ...filter, jobs: undefined }).every((value) => value === undefined)

/** A pause keeps a run from the moment on that it is made, and a worker that meets the run writes down what holds it. */
const IS_KEPT = `status = 'queued' and finished_at is null
  and (held_by is not null or exists (select 1 from pauses p where p.job in (runs.job, '*')))`

/** Postgres reads each word of a search into a tree, and gives up on one that is too deep. */
const MAX_TEXT = 1000

/** The condition of a filter on `runs`, with its values from parameter `first` on. `FILTER_INVALID` when its text is too long to be searched for. */
export function whereOf(filter: RunFilter, first = 1): { sql: string; values: unknown[] } {
  if (filter.text !== undefined && filter.text.length > MAX_TEXT)
    throw new Failure({
      code: 'FILTER_INVALID',
      message: `A text of more than ${MAX_TEXT} characters cannot be searched for.`,
      cure: 'Search for fewer words.',
    })
  const values: unknown[] = []
  const conditions: string[] = []
  const add = (value: unknown, condition: (parameter: string) => string) => {
    if (value === undefined) return
    values.push(storable(value))
    conditions.push(condition(`$${first + values.length - 1}`))
  }
  add(filter.job, (p) => `job = ${p}`)
  add(filter.jobs, (p) => `job = any(${p}::text[])`)
  const [only, ...others] = filter.status ?? []
  // One status alone is looked up by its index in the order of the list.
  if (only !== undefined && others.length === 0) add(only, (p) => `status = ${p}`)
  else add(filter.status, (p) => `status = any(${p}::text[])`)
  // What did not end green has an index of its own.
  if (filter.status !== undefined && !filter.status.includes('succeeded')) conditions.push("status <> 'succeeded'")
  add(filter.code === undefined ? undefined : [filter.code], (p) => `codes @> ${p}::text[]`)
  add(filter.requestedBy, (p) => `requested_by = ${p}`)
  add(filter.since, (p) => `created_at >= ${p}`)
  add(filter.until, (p) => `created_at < ${p}`)
  add(filter.endedSince, (p) => `finished_at >= ${p}`)
  add(filter.endedUntil, (p) => `finished_at < ${p}`)
  add(filter.tool === undefined ? undefined : [filter.tool], (p) => `tools @> ${p}::text[]`)
  // Its index is of runs that have any.
  add(filter.tags && JSON.stringify(filter.tags), (p) => `tags @> ${p}::jsonb and tags <> '{}'`)
  add(filter.text, (p) => `words @@ websearch_to_tsquery('simple', ${p})`)
  if (filter.held) conditions.push(IS_KEPT)
  add(filter.ids, (p) => `id = any(${p}::text[])`)
  return { sql: conditions.length === 0 ? 'true' : conditions.join(' and '), values }
}

/** Nothing in the store holds what Postgres cannot. */
function storable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(storable)
  return typeof value === 'string' ? storeText(value) : value
}
