import { matchHosted, placeOf, type HostedMatch } from '../../core/rules/join/hosted.ts'
import { DEFAULT_TOOL_CALLS } from '../../core/rules/spending/limits.ts'
import type { HostedRun } from '../../store/audit/join/hosted.ts'

/** Which events of a hosted run are its own, and which may be yet, when the gateway's clock is so far ahead of the store's. */
export function hostedMatches(run: HostedRun, aheadMs: number): { matches: HostedMatch[]; mayCome: string[] } {
  const events = run.events.map((event) => ({ ...event, time: new Date(Date.parse(event.time) - aheadMs) }))
  const allowed = new Map(Object.entries(run.tools).map(([server, { allow }]) => [server, allow]))
  const explained = run.sessions.map((session) => ({ place: placeOf(session), events: session.events }))
  const maxCalls = (run.limit ?? DEFAULT_TOOL_CALLS) * run.conversations
  return matchHosted({ ...run, allowed, explained, maxCalls }, events)
}
