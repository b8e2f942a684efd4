import { toFailure } from '../../core/failure.ts'
import { isFinal, RUN_STATUSES } from '../../core/run.ts'
import { pause } from '../../lib/time/pause.ts'
import type { Db } from '../../store/postgres/db.ts'
import type { RunFilter } from '../../store/runs/filter.ts'
import { groupRuns, listRuns, type RunLine } from '../../store/runs/list.ts'

/** How the runs that a filter means stand at a moment. */
export interface Standing {
  at: Date
  /** How many there are of each status that is not an end. */
  counts: ReadonlyMap<string, number>
  /** Those that are not over, newest first. */
  open: readonly RunLine[]
  /** Those that are over, the one that ended last first. */
  ended: readonly RunLine[]
}

const LOOK_MS = 1000
/** Most runs that are not over, and most that are, which are looked at. */
const MOST = 200

/**
 * How the runs of a filter stand, again and again until the signal is aborted; one that is aborted from the beginning gives exactly one look. Undefined: the
 * store does not answer, and is asked again.
 */
export async function* watchRuns(
  db: Db,
  { filter, signal }: { filter: RunFilter; signal: AbortSignal },
): AsyncGenerator<Standing | undefined, void> {
  let before: readonly RunLine[] = []
  for (;;) {
    try {
      const standing = await look(db, filter, before)
      before = standing.open
      yield standing
    } catch (error) {
      if (toFailure(error).code !== 'STORE_UNAVAILABLE') throw error
      yield undefined
    }
    if (signal.aborted) return
    await pause(LOOK_MS, signal)
  }
}

async function look(db: Db, filter: RunFilter, before: readonly RunLine[]): Promise<Standing> {
  const wanted = RUN_STATUSES.filter((status) => filter.status === undefined || filter.status.includes(status))
  const list = async (isOver: boolean, more: RunFilter = {}) => {
    const status = wanted.filter((one) => isFinal(one) === isOver)
    return status.length === 0 ? [] : listRuns(db, { ...filter, ...more, status }, { limit: MOST })
  }
  const open = await list(false)
  const isOpen = new Set(open.map(({ id }) => id))
  // The newest that are over are not those that ended last: one that was seen before is asked for by its id.
  const gone = before.flatMap(({ id }) => (isOpen.has(id) ? [] : [id]))
  const ended = new Map([...(await list(true)), ...(gone.length === 0 ? [] : await list(true, { ids: gone }))].map((run) => [run.id, run]))
  const counts = new Map<string, number>()
  for (const { status, runs } of await groupRuns(db, { ...filter, status: wanted.filter((one) => !isFinal(one)) }))
    counts.set(status, (counts.get(status) ?? 0) + runs)
  return {
    at: new Date(),
    counts,
    open,
    ended: [...ended.values()].toSorted((a, b) => endOf(b) - endOf(a)),
  }
}

const endOf = ({ finishedAt, createdAt }: RunLine) => Date.parse(finishedAt ?? createdAt)
