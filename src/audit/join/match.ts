import { matchHosted } from '../../core/rules/join-hosted.ts'
import { matchByRequestId } from '../../store/audit/by-request-id.ts'
import { explainExpected, type ExpectedNoise } from '../../store/audit/expected.ts'
import { explainEvents, listUnexplainedRuns, loadHostedRuns, type HostedRun } from '../../store/audit/hosted.ts'
import { createBadRows, type BadRowLog } from '../../store/bad-rows.ts'
import { withAdvisoryLock } from '../../store/postgres/advisory-lock.ts'
import type { Db } from '../../store/postgres/db.ts'

export interface MatchOptions {
  db: Db
  /** Ids of the accounts of this deployment now. */
  ours: () => readonly { accountId: string; account: string }[]
  expected: readonly ExpectedNoise[]
  now?: () => Date
  /** Events before it are not looked at; the last week when not given: older ones would have been explained by now. */
  since?: Date | undefined
  log?: BadRowLog | undefined
}

const LOOK_BACK_MS = 7 * 86_400_000
const RUNS_AT_ONCE = 200

/** Explains unexplained events as far as possible. Returns how many it explained. */
export async function matchEvents({ db, ours, expected, now = () => new Date(), since: given, log }: MatchOptions): Promise<number> {
  const before = now().getTime() - LOOK_BACK_MS
  const since = new Date(Math.min(before, given?.getTime() ?? before))
  // One process at a time: two could explain two events by the same call.
  return withAdvisoryLock(db, 'match', async () => {
    let matched = await matchByRequestId(db, since, log)
    const rows = createBadRows({ db, duty: 'match', log })
    for (let after = ''; ;) {
      const runIds = await listUnexplainedRuns(db, { since, after, limit: RUNS_AT_ONCE })
      await rows.pass(
        runIds,
        (id) => id,
        async (some) => {
          for (const run of await loadHostedRuns(db, { since, runIds: some })) matched += await explainRun(db, run)
        },
      )
      after = runIds.at(-1) ?? ''
      if (runIds.length < RUNS_AT_ONCE) break
    }
    if (expected.length > 0) matched += await explainExpected(db, ours(), expected, log)
    return matched
  })
}

/** Explains the events of one hosted run. */
async function explainRun(db: Db, run: HostedRun): Promise<number> {
  const events = run.events.map((event) => ({ ...event, time: new Date(event.time) }))
  const allowed = new Map(Object.entries(run.tools).map(([server, { allow }]) => [server, allow]))
  const matches = matchHosted({ ...run, allowed }, events)
  return explainEvents(
    db,
    matches.map(({ eventId, matchedBy, toolCallId }) => ({ eventId, matchedBy, toolCallId, runId: run.id })),
  )
}
