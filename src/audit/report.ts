import { listSuspects, type Suspect } from '../store/audit/suspects.ts'
import type { OpenEvent } from '../store/audit/join/unexplained.ts'
import { countEvents, countMissing, type EventCount, type MissingRequest } from '../store/audit/report.ts'
import { listGaps, type LogGap } from '../store/audit/log-gaps.ts'
import { listUnreportedRuns, type UnreportedRun } from '../store/audit/join/unreported.ts'
import { countLineless, type Lineless } from '../store/audit/lineless.ts'
import type { Db } from '../store/postgres/db.ts'
import { joinEvents, measureTime, type JoinTime, type MatchOptions } from './join/match.ts'

import { eachUnexplained, type UnexplainedFilter } from './join/unexplained.ts'

/** Events by account, host and tool, with those that nothing explains. */
export interface JoinCount extends EventCount {
  unexplained: number
  /** Not explained yet, and too young for an alarm. */
  recent: number
}

export interface AuditReport {
  since: string | null
  /** The time that the log covers, as far as it was read. */
  from: string | null
  until: string | null
  events: number
  matched: number
  /** Lines of other programs, as `audit.expected` declares them. */
  expected: number
  /** Lines of accounts that are not ours. */
  foreign: number
  /** Lines of hosted runs that their providers did not report, and the runs: they say nothing of the accounts. */
  unreported: number
  unreportedRuns: UnreportedRun[]
  unexplained: number
  /** Lines of our accounts that nothing explains yet, and that are too young for an alarm. */
  recent: number
  /** Requests of ours without a line, within the time that the log covers. */
  missing: number
  by: JoinCount[]
  unexplainedEvents: OpenEvent[]
  missingRequests: MissingRequest[]
  /** Times of which lines of a log may have been lost. */
  gaps: LogGap[]
  /** Requests of the last hour without a line, while somebody follows a log: does anybody read it still? */
  lineless: Lineless
}

const MOST = 100
/** How far back gaps of the log are told, unless a time is given. */
const GAPS_MS = 7 * 86_400_000

/** Explains what can be explained by now, then says how it fits together and which accounts are suspect. */
export async function makeReport(
  options: MatchOptions,
  about: { since?: Date | undefined; account?: string | undefined },
): Promise<AuditReport & { suspects: Suspect[] }> {
  const { asOf } = await joinEvents(options)
  const report = await auditReport(options.db, options.ours(), { ...about, graceMs: options.graceMs, asOf })
  return { ...report, suspects: await listSuspects(options.db) }
}

/** Compares our requests with the lines of the gateway's log. */
export async function auditReport(
  db: Db,
  ours: readonly { accountId: string; account: string }[],
  options: { since?: Date | undefined; account?: string | undefined; graceMs: number; asOf?: JoinTime },
): Promise<AuditReport> {
  const { since, account, graceMs, asOf = await measureTime(db, new Date()) } = options
  const [counts, missing, unexplained, gaps, lineless, unreportedRuns] = await Promise.all([
    countEvents(db, ours, { since, account }),
    countMissing(db, { since, account, graceMs, limit: MOST }),
    countUnexplained(db, ours, { graceMs, asOf, since, account }),
    listGaps(db, since ?? new Date(asOf.now.getTime() - GAPS_MS)),
    countLineless(db, graceMs),
    listUnreportedRuns(db, { since, account, limit: MOST }),
  ])
  const by = counts.map((count) => {
    const open = count.events - count.matched - count.expected - count.unreported
    const of = count.account === null ? 0 : (unexplained.counts.get(placeOf(count)) ?? 0)
    return { ...count, unexplained: of, recent: open - of }
  })
  const sum = (pick: (count: JoinCount) => number) => by.reduce((total, count) => total + pick(count), 0)
  const times = by.flatMap(({ from, until: to }) => [from, to]).toSorted()
  return {
    since: since?.toISOString() ?? null,
    from: times[0] ?? null,
    until: times.at(-1) ?? null,
    events: sum((count) => count.events),
    matched: sum((count) => count.matched),
    expected: sum((count) => count.expected),
    unreported: sum((count) => count.unreported),
    unreportedRuns,
    foreign: sum((count) => (count.account === null ? count.events - count.matched - count.expected : 0)),
    unexplained: sum((count) => count.unexplained),
    recent: sum((count) => (count.account === null ? 0 : count.recent)),
    missing: missing.count,
    by: by.filter((count) => count.account !== null),
    unexplainedEvents: unexplained.events,
    missingRequests: missing.requests,
    gaps,
    lineless,
  }
}

const placeOf = ({ account, host, tool }: { account: string | null; host: string; tool: string | null }) =>
  JSON.stringify([account, host, tool])

/** Counts what nothing explains, and lists the first. */
async function countUnexplained(
  db: Db,
  ours: readonly { accountId: string; account: string }[],
  filter: UnexplainedFilter,
): Promise<{ counts: ReadonlyMap<string, number>; events: OpenEvent[] }> {
  const counts = new Map<string, number>()
  const events: OpenEvent[] = []
  await eachUnexplained(db, ours, filter, (page) => {
    for (const event of page) {
      const place = placeOf({ account: event.account, host: event.host, tool: event.mcpTool })
      counts.set(place, (counts.get(place) ?? 0) + 1)
      if (events.length < MOST) events.push(event)
    }
    return true
  })
  return { counts, events }
}
