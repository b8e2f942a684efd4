import type { Db, RunFilter, RunGroup } from '../../../runs/queries.ts'
import { requireId } from '../../../runs/require.ts'
import { describeFilter } from '../../options/filter.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

/** The ids of runs that were named, each as a person may write it. */
export async function requireIds(db: Db, given: readonly string[]): Promise<string[]> {
  const ids: string[] = []
  for (const one of given) ids.push(await requireId(db, one))
  return [...new Set(ids)]
}

export const runCount = (count: number): string => `${count} run${count === 1 ? '' : 's'}`

const MOST_GROUPS = 20

/** What a filter was understood as, and the runs that it means: for a person, before anything is done. */
export function showPlan(groups: readonly RunGroup[], filter: RunFilter, terminal: Terminal): string {
  const meant = `Meant are ${describeFilter(filter)}.`
  if (groups.length === 0) return meant
  const rows = groups.slice(0, MOST_GROUPS).map(({ job, status, code, runs }) => [String(runs), fit(job, 40), status, code ?? ''])
  const more = groups.length > MOST_GROUPS ? `\nand ${groups.length - MOST_GROUPS} more kinds` : ''
  return `${meant}\n${renderTable(terminal, ['runs', 'job', 'status', 'code'], rows, [0])}${more}`
}
