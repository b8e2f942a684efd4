// @ts-nocheck
import { matchHosted } from '../../core/rules/hosted-match.ts'
import { transaction, type Db } from '../../store/postgres/db.ts'
import { explainEvents, explainExpected, loadHostedRuns, matchByRequestId, type ExpectedNoise } from '../../store/audit/matching.ts'

export interface MatchOptions {
  db: Db
  /** Ids of the accounts of this deployment now. */
  ours: () => readonly { accountId: string; account: string }[]
  expected: readonly ExpectedNoise[]
  now?: () => Date
  /** Events before it are not looked at; the last week when not given: what explains older ones would be known by now. */
  since?: Date | undefined
}

const LOOK_BACK_MS = 7 * 86_400_000
const RUNS_AT_ONCE = 200

/** Explains what can be explained of the events that are not yet. Returns how many were. */
export async function matchEvents({ db, ours, expected, now = () => new Date(), since: given }: MatchOptions): Promise<number> {
  const before = now().getTime() - LOOK_BACK_MS
  const since = new Date(Math.min(before, given?.getTime() ?? before))
  return transaction(db, async (client) => {
    // One process at a time: two could explain two events by the same call.
    await client.query("select pg_advisory_xact_lock(hashtextextended('nightshift match', 0))")
    let matched = await matchByRequestId(db, since)
    for (let after = ''; ;) {
      const runs = await loadHostedRuns(db, { since, after, limit: RUNS_AT_ONCE })
      for (const run of runs) {
        const events = run.events.map((event) => ({ ...event, time: new Date(event.time) }))
        const lost = run.lost.map(({ from, until }) => ({ from: new Date(from), until: new Date(until) }))
        const allowed = new Map(Object.entries(run.tools).map(([server, { allow }]) => [server, allow]))
        const matches = matchHosted({ ...run, lost, allowed }, events)
        matched += await explainEvents(
          db,
          matches.map(({ eventId, matchedBy, toolCallId }) => ({ eventId, matchedBy, toolCallId, runId: run.id })),
        )
      }
      after = runs.at(-1)?.id ?? ''
      if (runs.length < RUNS_AT_ONCE) break
    }
    if (expected.length > 0) matched += await explainExpected(db, ours(), expected)
    return matched
  })
}
