import { isFinal } from '../../core/run.ts'
import { timelineOf, type TimelineEvent } from '../../core/timeline.ts'
import type { RunView } from '../../core/view.ts'
import type { Db } from '../../store/postgres/db.ts'
import { pause } from '../../lib/time/pause.ts'
import { listRuns } from '../../store/runs/list.ts'
import { loadRun } from '../../store/runs/show.ts'
import { requireStatus } from '../lookup.ts'
import { createRunStates, type RunStates } from './states.ts'

export interface FollowOptions {
  /** The run to follow. Undefined: the newest unfinished runs, and new ones. */
  runId?: string | undefined
  /** Who is asked how runs stand; shared where many follow. */
  states?: RunStates
  /** How many events of its timeline were given out already; it goes on after them. */
  after?: number
  /** Ends the loop after the current poll. A signal that is aborted from the beginning gives exactly one poll. */
  signal: AbortSignal
}

/** What one poll of a run found. */
export interface RunNews {
  run: RunView
  /** New events since the last poll; often none. */
  events: readonly TimelineEvent[]
  /** Place of the first of them in the run's timeline, counted from 0. */
  from: number
}

const LOOK_MS = 500
/** Shorter than the interval of following: a request waits for this. */
const WAIT_LOOK_MS = 200
/** Most runs that are followed when none is named. */
const MAX_OPEN = 20

/**
 * Polls a run and yields after each poll, also without new events, so that the consumer can stop or send a keep-alive. Each event comes once, in the order of the
 * run's timeline. Ends when the run is over; without a `runId`, only by the signal. `RUN_UNKNOWN` when the run does not exist.
 */
export async function* followRuns(
  db: Db,
  { runId, states = createRunStates(db), after = 0, signal }: FollowOptions,
): AsyncGenerator<RunNews, void> {
  const followed = new Map<string, Look>()
  if (runId !== undefined) {
    await requireStatus(db, runId)
    followed.set(runId, createLook(db, states, runId, after))
  }
  for (;;) {
    if (runId === undefined) for (const id of await openRuns(db)) if (!followed.has(id)) followed.set(id, createLook(db, states, id, 0))
    const looks = await Promise.all([...followed].map(async ([id, look]) => [id, await look()] as const))
    for (const [id, news] of looks) {
      if (news) yield news
      // Over, or removed by retention.
      if (!news || isFinal(news.run.status)) followed.delete(id)
    }
    if (signal.aborted || (runId !== undefined && followed.size === 0)) return
    await pause(LOOK_MS, signal)
  }
}

/** Waits until the run is over, waits for a person, or is gone, until `waitMs` have passed, or `signal` is aborted. */
export async function waitForRun(
  states: RunStates,
  runId: string,
  { waitMs, signal }: { waitMs: number; signal: AbortSignal },
): Promise<void> {
  const until = performance.now() + waitMs
  for (;;) {
    const state = await states.of(runId)
    const leftMs = until - performance.now()
    if (!state || isFinal(state.status) || state.status === 'waiting' || leftMs <= 0 || signal.aborted) return
    await pause(Math.min(WAIT_LOOK_MS, leftMs), signal)
  }
}

type Look = () => Promise<RunNews | undefined>

function createLook(db: Db, states: RunStates, id: string, after: number): Look {
  let told = after
  let seen: string | undefined
  let run: RunView | undefined
  return async () => {
    const version = (await states.of(id))?.version
    if (run && version === seen) return { run, events: [], from: told }
    // Read before the run: a change in between is found by the next poll.
    seen = version
    run = await loadRun(db, id)
    if (!run) return undefined
    const timeline = timelineOf(run)
    const from = told
    told = Math.max(from, timeline.length)
    return { run, events: timeline.slice(from), from }
  }
}

/** The newest runs that are not over, oldest first. */
async function openRuns(db: Db): Promise<string[]> {
  const open = await listRuns(db, { status: ['running', 'waiting', 'queued'] }, { limit: MAX_OPEN })
  return open.map(({ id }) => id).toReversed()
}
