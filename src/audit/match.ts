import { matchHosted } from '../core/hosted-match.ts'
import type { Db } from '../store/db.ts'
import { explainEvents, listUnexplained, loadHostedRuns, matchByRequestId, type Explanation, type OpenEvent } from '../store/matching.ts'

/** Requests of other programs that share an account, as the configuration declares them. */
export interface ExpectedNoise {
  account: string
  host?: string | undefined
  path?: string | undefined
  ip?: string | undefined
  tool?: string | undefined
}

export interface MatchOptions {
  db: Db
  /** Ids of the accounts of this deployment now. */
  ours: () => readonly { accountId: string; account: string }[]
  expected: readonly ExpectedNoise[]
  now?: () => Date
}

/** Events older than this are not looked at again: what explains them would be known by now. */
const LOOK_BACK_MS = 7 * 86_400_000

/** Explains what can be explained of the events that are not yet. Returns how many were. */
export async function matchEvents({ db, ours, expected, now = () => new Date() }: MatchOptions): Promise<number> {
  const since = new Date(now().getTime() - LOOK_BACK_MS)
  let matched = await matchByRequestId(db, since)
  for (const run of await loadHostedRuns(db, since)) {
    const events = run.events.map((event) => ({ ...event, time: new Date(event.time) }))
    const matches = matchHosted(run, events)
    matched += await explainEvents(
      db,
      matches.map(({ eventId, matchedBy, toolCallId }) => ({ eventId, matchedBy, toolCallId, runId: run.id })),
    )
  }
  if (expected.length > 0) matched += await explainEvents(db, await expectedOf(db, ours(), expected, now()))
  return matched
}

async function expectedOf(
  db: Db,
  ours: readonly { accountId: string; account: string }[],
  expected: readonly ExpectedNoise[],
  now: Date,
): Promise<Explanation[]> {
  const open = await listUnexplained(db, ours, { until: now })
  return open
    .filter((event) => expected.some((noise) => isExpected(event, noise)))
    .map(({ id }) => ({ eventId: id, matchedBy: 'expected', runId: null, toolCallId: null }))
}

function isExpected(event: OpenEvent, noise: ExpectedNoise): boolean {
  return (
    event.account === noise.account &&
    (noise.host === undefined || noise.host === event.host) &&
    (noise.path === undefined || noise.path === event.path) &&
    (noise.ip === undefined || noise.ip === event.ip) &&
    (noise.tool === undefined || noise.tool === event.mcpTool)
  )
}
