import { listSuspects, type Suspect } from '../store/audit/suspects.ts'
import { listUnexplained, type OpenEvent } from '../store/audit/unexplained.ts'
import { countEvents, countMissing, type EventCount, type MissingRequest } from '../store/audit/report.ts'
import type { Db } from '../store/postgres/db.ts'
import { matchEvents, type MatchOptions } from './join/match.ts'

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
  unexplained: number
  /** Lines of our accounts that nothing explains yet, and that are too young for an alarm. */
  recent: number
  /** Requests of ours without a line, within the time that the log covers. */
  missing: number
  by: EventCount[]
  unexplainedEvents: OpenEvent[]
  missingRequests: MissingRequest[]
}

const MOST = 100

/** Explains what can be explained by now, then says how it fits together and which accounts are suspect. */
export async function makeReport(
  options: MatchOptions & { graceMs: number },
  about: { since?: Date | undefined; account?: string | undefined },
): Promise<AuditReport & { suspects: Suspect[] }> {
  await matchEvents(options)
  const report = await auditReport(options.db, options.ours(), { ...about, graceMs: options.graceMs })
  return { ...report, suspects: await listSuspects(options.db) }
}

/** Compares our requests with the lines of the gateway's log. */
export async function auditReport(
  db: Db,
  ours: readonly { accountId: string; account: string }[],
  options: { since?: Date | undefined; account?: string | undefined; graceMs: number; now?: Date },
): Promise<AuditReport> {
  const { since, account, graceMs, now = new Date() } = options
  const until = new Date(now.getTime() - graceMs)
  const [by, missing, unexplained] = await Promise.all([
    countEvents(db, ours, { since, account, until }),
    countMissing(db, { since, account, graceMs, limit: MOST }),
    listUnexplained(db, ours, { until, since, account, limit: MOST }),
  ])
  const sum = (pick: (count: EventCount) => number) => by.reduce((total, count) => total + pick(count), 0)
  const times = by.flatMap(({ from, until: to }) => [from, to]).toSorted()
  return {
    since: since?.toISOString() ?? null,
    from: times[0] ?? null,
    until: times.at(-1) ?? null,
    events: sum((count) => count.events),
    matched: sum((count) => count.matched),
    expected: sum((count) => count.expected),
    foreign: sum((count) => (count.account === null ? count.events - count.matched - count.expected : 0)),
    unexplained: sum((count) => (count.account === null ? 0 : count.unexplained)),
    recent: sum((count) => (count.account === null ? 0 : count.recent)),
    missing: missing.count,
    by: by.filter((count) => count.account !== null),
    unexplainedEvents: unexplained,
    missingRequests: missing.requests,
  }
}
