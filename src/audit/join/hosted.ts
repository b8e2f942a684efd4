import { mayGoOnUntil } from '../../core/rules/join/going-on.ts'
import { matchHosted, placeOf, type HostedMatch } from '../../core/rules/join/hosted.ts'
import { DEFAULT_DEADLINE, DEFAULT_TOOL_CALLS } from '../../core/rules/spending/limits.ts'
import { durationMs } from '../../lib/duration.ts'
import type { HostedRun } from '../../store/audit/join/hosted.ts'

/** Which events of a hosted run are its own, and which may be yet, when the gateway's clock is so far ahead of the store's. What ended after `overAfter` may still be reported. */
export function hostedMatches(
  run: HostedRun,
  { aheadMs, overAfter }: { aheadMs: number; overAfter: Date },
): { matches: HostedMatch[]; mayCome: string[] } {
  const events = run.events.map((event) => ({ ...event, time: new Date(Date.parse(event.time) - aheadMs) }))
  const allowed = new Map(Object.entries(run.tools).map(([server, { allow }]) => [server, allow]))
  const explained = run.sessions.map((session) => ({ place: placeOf(session), events: session.events }))
  const maxCalls = (run.limit ?? DEFAULT_TOOL_CALLS) * run.conversations
  const mayReport = run.finishedAt === null || run.finishedAt > overAfter
  const mayFind = run.finishedAt === null && run.attempts.some(({ isOpen }) => isOpen)
  return matchHosted({ ...run, mayReport, mayFind, work: run.attempts.map(workOf), allowed, explained, maxCalls }, events)
}

/** When the provider of an attempt was at work. */
function workOf({ startedAt, finishedAt, isOpen, deadline }: HostedRun['attempts'][number]): { from: Date; until: Date | null } {
  const latest = mayGoOnUntil({ startedAt, deadlineMs: durationMs(deadline ?? DEFAULT_DEADLINE) })
  return { from: startedAt, until: finishedAt !== null && isOpen && latest > finishedAt ? latest : finishedAt }
}
