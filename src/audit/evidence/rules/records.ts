import { canonicalText, sha256Hex } from '../../../lib/hash/chain.ts'
import type { RecordList } from '../../../store/audit/evidence.ts'
import { RECORD_TABLES, type RecordTable } from '../../../store/audit/record-rules.ts'
import type { MarkedRow } from '../../../store/audit/signed-records.ts'
import type { TextRow } from '../../../store/audit/signed-rows.ts'
import type { Removals } from './keep.ts'

/** What a checkpoint lists of a row. */
export type RecordEntry = RecordList['rows'][number]

const pick = (row: TextRow, columns: readonly string[]) => Object.fromEntries(columns.map((name) => [name, row[name] ?? null]))

const keptDigest = (table: RecordTable, row: TextRow) => sha256Hex(canonicalText(pick(row, RECORD_TABLES[table].kept)))

export const recordEntry = (table: RecordTable, { mark, row }: MarkedRow): RecordEntry => ({
  mark,
  said: pick(row, RECORD_TABLES[table].said),
  kept: keptDigest(table, row),
})

/** What else is known of a store when a row of it is looked at. */
export interface RecordContext {
  removals: Removals
  isRemoved: (runId: string) => boolean
}

interface Known extends RecordContext {
  /** What never changes is as it was listed. */
  isKept: boolean
}

/** True when a row that was listed as `said` may stand as `now` by right; undefined: it is not there any more. */
type Fits = (said: TextRow, now: TextRow | undefined, known: Known) => boolean

const time = (text: string | null | undefined) => new Date(text ?? Number.NaN)
const isSame = (said: TextRow, now: TextRow, columns: readonly string[]) => columns.every((name) => said[name] === now[name])

const FITS: Readonly<Record<RecordTable, Fits>> = {
  // One request adds the runs that it changes piece by piece.
  acts: (said, now, { isKept }) =>
    now !== undefined &&
    isKept &&
    (isSame(said, now, ['jobs', 'runs']) ||
      (Number(said['runs']) > 0 &&
        Number(now['runs']) > Number(said['runs']) &&
        listOf(said['jobs']).every((job) => listOf(now['jobs']).includes(job)))),

  alarms: (said, now, { removals, isKept }) =>
    now === undefined
      ? removals.log(time(said['sent_at'] ?? said['created_at']))
      : isKept &&
        isSame(said, now, ['created_at']) &&
        (isSame(said, now, ['sent_at']) || (said['sent_at'] === null && removals.isPast(time(now['sent_at'])))),

  fires(said, now, { removals, isRemoved, isKept }) {
    const runId = said['run_id'] ?? null
    const isGone = runId !== null && isRemoved(runId)
    if (now === undefined) return (runId === null || isGone) && removals.fire(time(said['fire_at']))
    if (!isKept) return false
    if (isSame(said, now, ['status', 'reason']) && (now['run_id'] === runId || (now['run_id'] === null && isGone))) return true
    return said['status'] === 'skipped' && now['status'] === 'run' && now['reason'] === 'backfill'
  },

  pruned_runs: (said, now) => now !== undefined && isSame(said, now, ['pruned_at']),

  suspects(said, now, { removals, isKept }) {
    const acknowledged = said['acknowledged_at'] ?? null
    const isOver = removals.log(time(acknowledged ?? said['since']))
    if (now === undefined) return isOver
    // Another one, of the same account, after that one was removed.
    if (!isKept) return isOver && time(now['since']) > time(acknowledged ?? said['since'])
    if (Number(now['events']) < Number(said['events']) || time(now['since']) < time(said['since'])) return false
    // Whoever acknowledged it, and why, stands there since it was.
    const isOpen = now['acknowledged_at'] === null
    if (isOpen ? now['acknowledged_by'] !== null || now['reason'] !== null : !removals.isPast(time(now['acknowledged_at']))) return false
    // More lines came, which begin it anew where it was acknowledged.
    if (Number(now['events']) > Number(said['events']))
      return acknowledged === null || (!isSame(said, now, ['since']) && time(now['since']) > time(acknowledged))
    if (!isSame(said, now, ['since'])) return false
    return acknowledged === null || isSame(said, now, ['acknowledged_at', 'acknowledged_by', 'reason'])
  },
}

const listOf = (text: string | null | undefined) => (text ?? '').slice(1, -1).split(',')

/** True when the row is as the checkpoint lists it, but for what changes by right. */
export const recordFits = (table: RecordTable, { said, kept }: RecordEntry, now: TextRow | undefined, context: RecordContext): boolean =>
  FITS[table](said, now, { ...context, isKept: now !== undefined && keptDigest(table, now) === kept })
