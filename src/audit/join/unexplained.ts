import { doubtedLines } from '../../core/rules/join/doubt.ts'
import { listFlights } from '../../store/audit/join/flights.ts'
import { listUnexplainedRuns, loadHostedRuns } from '../../store/audit/join/hosted.ts'
import type { OurAccount } from '../../store/audit/accounts.ts'
import { listOpenEvents, type EventPlace, type OpenEvent } from '../../store/audit/join/unexplained.ts'
import type { Db } from '../../store/postgres/db.ts'
import { hostedMatches } from './hosted.ts'
import type { JoinTime } from './match.ts'

export interface UnexplainedFilter {
  /** Time of grace after a line. */
  graceMs: number
  asOf: JoinTime
  since?: Date | undefined
  account?: string | undefined
  /** Only those that no alarm was raised for. */
  fresh?: boolean
  /** False: of no line it is too early to say, since what a request of ours may come to cannot be read. */
  doubting?: boolean
}

const PAGE = 1000
const RUNS_AT_ONCE = 200

/**
 * Goes through the events of our accounts that nothing explains after the grace time, oldest first, page by page, until `take` returns false; without those of which it is too early to say: one for each
 * request of ours that is under way, and those that the provider of a hosted run may still report.
 */
export async function eachUnexplained(
  db: Db,
  ours: readonly OurAccount[],
  { graceMs, asOf: { now, aheadMs }, since, account, fresh = false, doubting = true }: UnexplainedFilter,
  take: (page: OpenEvent[]) => boolean,
): Promise<void> {
  const until = new Date(now.getTime() - graceMs + aheadMs)
  const overAfter = new Date(now.getTime() - graceMs)
  const doubted = doubting ? await mayBeReported(db, { until, since, aheadMs, overAfter }) : new Set<string>()
  for (let after: EventPlace | undefined; ;) {
    const page = await listOpenEvents(db, ours, { until, since, account, fresh, limit: PAGE }, after)
    const lines = page.filter(({ id }) => !doubted.has(id)).map((event) => ({ ...event, time: new Date(event.time.getTime() - aheadMs) }))
    const flights = doubting ? await listFlights(db, [...new Set(page.map(({ accountId }) => accountId))]) : []
    const waiting = doubtedLines(lines, flights)
    const goesOn = take(page.filter(({ id }) => !doubted.has(id) && !waiting.has(id)))
    after = page.at(-1)
    if (!goesOn || page.length < PAGE) return
  }
}

/** Ids of the events that the provider of a hosted run may still report: while it is under way, and for the time of grace after it. */
async function mayBeReported(
  db: Db,
  { until, since = new Date(0), aheadMs, overAfter }: { until: Date; since?: Date | undefined; aheadMs: number; overAfter: Date },
): Promise<Set<string>> {
  const span = { since, until, thorough: false }
  const ids = new Set<string>()
  for (let after = ''; ;) {
    const runIds = await listUnexplainedRuns(db, span, { after, limit: RUNS_AT_ONCE })
    for (const run of await loadHostedRuns(db, span, runIds)) {
      for (const id of hostedMatches(run, { aheadMs, overAfter }).mayCome) ids.add(id)
    }
    after = runIds.at(-1) ?? ''
    if (runIds.length < RUNS_AT_ONCE) return ids
  }
}
