import { describeFailure } from '../../../core/failure.ts'
import { showText } from '../../../lib/text.ts'
import { isEmptyFilter, type Db, type RunFilter, type RunGroup } from '../../../runs/queries.ts'
import { refuseUnknownNames, unknownTag } from '../../../runs/meant/names.ts'
import { requireId } from '../../../runs/lookup.ts'
import { describeFilter } from '../../options/filter.ts'
import { configuredNames, type Configured } from '../../options/known.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

/** The ids of runs that were named, each as a person may write it. */
export async function requireIds(db: Db, given: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const one of given) ids.push(await requireId(db, one))
  return [...new Set(ids)]
}

/** Of a filter that meant no run: refuses names that nothing has, and tells of a tag that no run has. */
export async function tellUnknownNames({ db, ...found }: { db: Db } & Configured, filter: RunFilter, terminal: Terminal): Promise<void> {
  await refuseUnknownNames(db, filter, () => configuredNames(found))
  const tag = await unknownTag(db, filter)
  if (tag) terminal.err(showText(describeFailure(tag)))
}

export const runCount = (count: number): string => `${count} run${count === 1 ? '' : 's'}`

const MOST_GROUPS = 20

/** What a filter was understood as, and the runs that it means: for a person, before anything is done. */
export function showPlan(groups: readonly RunGroup[], filter: RunFilter, terminal: Terminal): string {
  const meant = `Meant are ${describeFilter(filter)}.`
  if (groups.length === 0) return meant
  const rows = groups.slice(0, MOST_GROUPS).map(({ job, status, code, runs }) => [String(runs), fit(job, 40), status, code ?? ''])
  const more = groups.length > MOST_GROUPS ? `\nand ${groups.length - MOST_GROUPS} more kinds` : ''
  return `${meant}\n${renderTable(terminal, ['runs', 'job', 'status', 'code'], rows, { right: [0] })}${more}`
}

/** What is said instead of an empty list. */
export const noRuns = (filter: RunFilter): string =>
  isEmptyFilter(filter) ? 'There are no runs yet. Start one with nightshift run JOB.' : `There are no ${describeFilter(filter)}.`

/** What runs may be counted by. */
export const GROUPS = ['job', 'status', 'code'] as const

/** How many of the runs that a filter means there are of each job, status or code; most first. */
export function showGroups(
  groups: readonly RunGroup[],
  by: (typeof GROUPS)[number],
  filter: RunFilter,
  terminal: Terminal,
  json: boolean,
): string {
  const counts = new Map<string | null, number>()
  for (const group of groups) counts.set(group[by], (counts.get(group[by]) ?? 0) + group.runs)
  const rows = [...counts].toSorted(([, one], [, other]) => other - one)
  if (json)
    return JSON.stringify(
      rows.map(([key, runs]) => ({ [by]: key, runs })),
      null,
      2,
    )
  if (rows.length === 0) return noRuns(filter)
  return renderTable(
    terminal,
    ['runs', by],
    rows.map(([key, runs]) => [String(runs), key === null ? 'none' : fit(key, 60)]),
    { right: [0], cut: { 1: 16 } },
  )
}
