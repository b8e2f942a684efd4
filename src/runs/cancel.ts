import pLimit from 'p-limit'
import type { Actor } from '../core/acts.ts'
import type { RunStatus } from '../core/run.ts'
import { tryReadDefinition } from '../jobs/schema.ts'
import type { Canceller } from '../store/acts/write.ts'
import type { Db } from '../store/postgres/db.ts'
import type { RunFilter } from '../store/runs/filter.ts'
import { loadGoingOn } from '../store/attempts/going-on.ts'
import { loadSpent } from '../store/attempts/history.ts'
import { finishUnclaimedRun, loadUnclaimedRun } from '../store/runs/finish.ts'
import { requestCancel } from '../store/runs/heartbeat.ts'
import { groupRuns, listRuns, type RunGroup } from '../store/runs/list.ts'
import { requireFilter, requireStatus } from './lookup.ts'
import { deliveriesOf, endWithFailure } from './result.ts'

const CANCELLED = { code: 'CANCELLED', message: 'The run was cancelled.', retry: 'never' } as const

/**
 * Cancels a run for whoever asks. One that no worker holds is over at once; for one that runs, its worker is asked to end it. Returns the status it has now,
 * undefined when there is no such run.
 */
export async function cancelRun(db: Db, runId: string, by: Canceller): Promise<RunStatus | undefined> {
  for (;;) {
    if (await endIdle(db, runId, by)) return 'cancelled'
    const status = await requestCancel(db, runId, by)
    // A worker may have suspended it just now: look again.
    if (status !== 'queued' && status !== 'waiting') return status
  }
}

/** Ends a run whose cancel was asked for while a worker had it, and that no worker has any more. Who asked is written already. */
export const endRequestedCancel = (db: Db, runId: string): Promise<boolean> => endIdle(db, runId, null)

/** False: a worker has it, or it is over. */
async function endIdle(db: Db, runId: string, by: Canceller | null): Promise<boolean> {
  const idle = await loadUnclaimedRun(db, runId)
  if (!idle) return false
  // Its earlier attempts may have spent.
  const end = endWithFailure(CANCELLED, await loadSpent(db, runId))
  const deliveries = await deliveriesOf(db, idle, tryReadDefinition(idle.definition), end)
  return finishUnclaimedRun(db, runId, { ...end, deliveries }, by)
}

/** Until when the provider of a run may go on after a cancel, whatever we do; null: it does not. Calls that it makes until then are shown on the run. */
export async function goesOnUntil(db: Db, runId: string): Promise<string | null> {
  const going = [...(await loadGoingOn(db, runId)).values()].filter(({ isOver }) => !isOver)
  const latest = going.toSorted((a, b) => a.until.getTime() - b.until.getTime()).at(-1)
  return latest?.until.toISOString() ?? null
}

/** Statuses of runs that are not over. */
export const CANCELLABLE = ['queued', 'running', 'waiting'] as const satisfies RunStatus[]
const PAGE = 500
/** Few enough that the connections of a process are not all taken. */
const AT_A_TIME = 4

/** The runs that a cancel of this filter would end, by job, status and code. `FILTER_INVALID` when the filter says nothing. */
export const planCancel = (db: Db, filter: RunFilter): Promise<RunGroup[]> => groupRuns(db, requireFilter(filter), CANCELLABLE)

/** What became of a run whose cancel was asked for. */
export interface Cancelled {
  id: string
  /** `running`: its worker ends it. Any other status but `cancelled`: it was over before. */
  status: RunStatus
  /** Until when its provider, which has no background mode, may go on; null: it does not. */
  mayGoOnUntil: string | null
}

/** Cancels the runs that are named, in their order. `RUN_UNKNOWN`, before any is cancelled, for one that there is not. */
export async function cancelNamed(db: Db, ids: readonly string[], by: Actor): Promise<Cancelled[]> {
  for (const id of ids) await requireStatus(db, id)
  const cancelled: Cancelled[] = []
  // One that retention removed since then is cancelled enough.
  for (const id of ids) {
    const status = (await cancelRun(db, id, by)) ?? 'cancelled'
    cancelled.push({ id, status, mayGoOnUntil: await goesOnUntil(db, id) })
  }
  return cancelled
}

/**
 * Cancels all runs that the filter means and that are not over, newest first. Ends early when the signal is aborted: what was cancelled before stays so.
 * Returns how many were.
 */
export async function cancelByFilter(db: Db, filter: RunFilter, by: Actor, signal: AbortSignal): Promise<number> {
  const status = CANCELLABLE.filter((one) => filter.status === undefined || filter.status.includes(one))
  if (status.length === 0) return 0
  const limit = pLimit(AT_A_TIME)
  // The act says which runs were meant, and nothing of their content.
  const { text: _text, ids: _ids, ...said } = filter
  const canceller = { ...by, detail: { filter: said } }
  let count = 0
  for (let before: string | undefined; ;) {
    const page = await listRuns(db, { ...requireFilter(filter), status }, { limit: PAGE, before })
    await limit.map(page, async ({ id }) => {
      if (!signal.aborted && isCancelled(await cancelRun(db, id, canceller))) count++
    })
    before = page.at(-1)?.id
    if (page.length < PAGE || signal.aborted) return count
  }
}

const isCancelled = (status: RunStatus | undefined) => status === 'cancelled' || status === 'running'
