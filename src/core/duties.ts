import { showAge } from '../lib/show/time.ts'
import { showLine } from '../lib/text.ts'

const MINUTE_MS = 60_000
/** Beyond two intervals: a round may take its time. */
const LATE_MS = 10 * MINUTE_MS

/** Ages in ms of what a duty did, in one process. */
export interface DutyAges {
  everyMs: number
  startedAgoMs: number
  succeededAgoMs: number | undefined
  failedAgoMs: number | undefined
}

/**
 * Whether somebody must be told of a duty. `failing`: its last round failed, and either the next one is a minute away at least or it has not ended well for a
 * minute. `late`: no round has ended, in whatever way, for more than two intervals and ten minutes.
 */
export function dutyFault({ everyMs, startedAgoMs, succeededAgoMs, failedAgoMs }: DutyAges): 'failing' | 'late' | undefined {
  const wellAgoMs = succeededAgoMs ?? startedAgoMs
  const hasFailed = failedAgoMs !== undefined && (succeededAgoMs === undefined || failedAgoMs < succeededAgoMs)
  const endedAgoMs = hasFailed ? failedAgoMs : wellAgoMs
  if (endedAgoMs > 2 * everyMs + LATE_MS) return 'late'
  return hasFailed && (everyMs >= MINUTE_MS || wellAgoMs >= MINUTE_MS) ? 'failing' : undefined
}

/** How often a process writes that it is at work. */
export const BEAT_MS = 10_000
/** After two beats that did not come, nobody says of a process that it is at work: it was killed, or is frozen, or does not reach the store. */
export const SILENT_AFTER_MS = 2.5 * BEAT_MS
/** So long is a worker that ended without a word told of beside those that are at work. */
export const LATELY_MS = 10 * MINUTE_MS

/** Of processes that are silent, which was heard of last: `: a:1 was last heard of 30 s ago`; nothing when there are none. */
export function aboutSilent(silent: readonly { name: string; heardAgoMs: number }[]): string {
  const [last] = silent.toSorted((one, other) => one.heardAgoMs - other.heardAgoMs)
  return last ? `: ${showLine(last.name)} was last heard of ${showAge(last.heardAgoMs)} ago` : ''
}

/** What does not happen while a duty is not done, by its name. */
export const UNDONE: Readonly<Record<string, string>> = {
  heartbeat: 'the leases of its runs are not renewed, so that other workers take them over, and cancels are not seen',
  schedules: 'no schedule fires',
  sweep: 'runs that the queue lost do not start, and runs that are held stay so',
  outbox: 'no report goes out',
  consent: 'runs that wait for a person do not go on once the server is connected',
  tokens: 'nobody warns of tokens that expire',
  configuration: 'callers that are taken out of the configuration are let in',
  checkpoint: 'no checkpoint of ended runs is signed',
  retention: 'what is older than retention: stays',
  'idempotency-keys': 'old idempotency keys stay',
  'bad-rows': 'nightshift_bad_rows counts rows that were mended',
  'log-silence': 'nobody notices that Pomerium’s log is not read any more, and alarms that a follower left are not sent',
  'run-accounts': 'accounts of single runs outlive runs that were cancelled or died, until their deadline',
  log: 'Pomerium’s log is not read, so that no alarm is raised',
  match: 'lines of Pomerium’s log are not joined with what runs did',
}
