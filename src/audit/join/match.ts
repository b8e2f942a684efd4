import { matchByRequestId } from '../../store/audit/join/by-request-id.ts'
import { gatewayClock } from '../../store/audit/join/clock.ts'
import { explainExpected, type ExpectedNoise } from '../../store/audit/join/expected.ts'
import { setForeignAside, takeOursBack } from '../../store/audit/join/foreign.ts'
import { explainEvents, listUnexplainedRuns, loadHostedRuns, type EventSpan, type HostedRun } from '../../store/audit/join/hosted.ts'
import { explainServed } from '../../store/audit/join/served.ts'
import { createBadRows } from '../../store/bad-rows.ts'
import { withAdvisoryLock } from '../../store/postgres/advisory-lock.ts'
import type { Db } from '../../store/postgres/db.ts'
import { hostedMatches } from './hosted.ts'
import { tellRuns, type JoinLog } from './unreported.ts'

export interface MatchOptions {
  db: Db
  /** Ids of the accounts of this deployment now. */
  ours: () => readonly { accountId: string; account: string }[]
  expected: readonly ExpectedNoise[]
  /** Grace time: how long after its line a request may still be written by us. */
  graceMs: number
  now?: () => Date
  /** Events before it are not looked at; the last week when not given: older ones would have been explained by now. */
  since?: Date | undefined
  /** False: what is new alone, and not what raised an alarm or was explained by something weaker than an id. */
  thorough?: boolean
  log?: JoinLog | undefined
}

const LOOK_BACK_MS = 7 * 86_400_000
const RUNS_AT_ONCE = 200

/** When a round looked: whoever says of a line that nothing explains it goes by the same time, or lines whose grace ended in between would never have been looked at. */
export interface JoinTime {
  now: Date
  /** How far the gateway's clock was ahead of the store's, in milliseconds. */
  aheadMs: number
}

export const measureTime = async (db: Db, now: Date): Promise<JoinTime> => ({ now, aheadMs: (await gatewayClock(db)).aheadMs ?? 0 })

/** Explains unexplained events as far as possible. Returns how many it explained. */
export const matchEvents = async (options: MatchOptions): Promise<number> => (await joinEvents(options)).matched

/**
 * Explains unexplained events as far as possible. Ids come first: what says less, such as the header of a run, explains what no request of ours could within
 * the grace time, and gives way to a request with that id that is written later. Returns how many it explained, and when it looked.
 */
export async function joinEvents(options: MatchOptions): Promise<{ matched: number; asOf: JoinTime }> {
  const { db, ours, expected, graceMs, since: given, thorough = true, log } = options
  const now = options.now?.() ?? new Date()
  const before = now.getTime() - LOOK_BACK_MS
  const since = new Date(Math.min(before, given?.getTime() ?? before))
  // One process at a time: two could explain two events by the same call.
  return withAdvisoryLock(db, 'match', async () => {
    if (thorough) await takeOursBack(db, ours())
    let matched = await matchByRequestId(db, { since, thorough }, log)
    const asOf = await measureTime(db, now)
    const span = { since, until: new Date(now.getTime() - graceMs + asOf.aheadMs), thorough }
    await setForeignAside(db, ours(), span.until)
    const clock = { aheadMs: asOf.aheadMs, overAfter: new Date(now.getTime() - graceMs) }
    matched += await explainHosted(db, span, clock, log)
    await tellRuns(db, span, clock, log)
    matched += await explainServed(db, span)
    if (expected.length > 0) matched += await explainExpected(db, ours(), expected, span, log)
    return { matched, asOf }
  })
}

async function explainHosted(
  db: Db,
  span: EventSpan,
  clock: Parameters<typeof hostedMatches>[1],
  log: JoinLog | undefined,
): Promise<number> {
  const rows = createBadRows({ db, duty: 'match', log })
  let matched = 0
  for (let after = ''; ;) {
    const runIds = await listUnexplainedRuns(db, span, { after, limit: RUNS_AT_ONCE })
    await rows.pass(
      runIds,
      (id) => id,
      async (some) => {
        for (const run of await loadHostedRuns(db, span, some)) matched += await explainRun(db, run, clock)
      },
    )
    after = runIds.at(-1) ?? ''
    if (runIds.length < RUNS_AT_ONCE) return matched
  }
}

/** Explains the events of one hosted run. */
async function explainRun(db: Db, run: HostedRun, clock: Parameters<typeof hostedMatches>[1]): Promise<number> {
  const { matches } = hostedMatches(run, clock)
  return explainEvents(
    db,
    matches.map(({ eventId, matchedBy, toolCallId }) => ({ eventId, matchedBy, toolCallId, runId: run.id })),
  )
}
