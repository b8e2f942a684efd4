// @ts-nocheck
import { digestOf } from '../../lib/digest.ts'

/** An event of a run whose provider calls the servers itself. */
export interface HostedEvent {
  id: string
  time: Date
  accountId: string | null
  method: string
  host: string
  mcpMethod: string | null
  mcpTool: string | null
  paramsDigest: string | null
  /** It has the run's header; else it is known by an account of the run's own. */
  byHeader: boolean
}

export interface HostedContext {
  startedAt: Date
  /** Null while it runs. */
  finishedAt: Date | null
  accounts: readonly { id: string; own: boolean }[]
  hosts: readonly { server: string; host: string }[]
  calls: readonly { id: string; server: string; tool: string; arguments: unknown }[]
  /** Attempts that ended before the answer of their provider did: it may have made calls that it told nobody of. */
  lost: readonly { from: Date; until: Date }[]
  /** Tools that the job allows, by server. */
  allowed: ReadonlyMap<string, readonly string[]>
}

export interface HostedMatch {
  eventId: string
  matchedBy: 'run-header' | 'account' | 'lost-answer'
  toolCallId: string | null
}

/** The log's clock has seconds, and a provider may end its sessions after its answer. */
const BEFORE_MS = 5000
const AFTER_MS = 120_000

/** What a provider asks beside calls, to open and close its sessions. */
const SESSION_METHODS = new Set(['initialize', 'notifications/initialized', 'notifications/cancelled', 'tools/list', 'ping'])

/**
 * Says which events of a hosted run are its own: sessions by the run alone, calls one for one with the calls that the provider reported, by server, tool
 * and arguments in the order of time. A call that the provider did not report is nobody's, but for a call of an allowed tool while an answer was lost: it
 * can't have been reported.
 */
export function matchHosted(run: HostedContext, events: readonly HostedEvent[]): HostedMatch[] {
  const accounts = new Set(run.accounts.map(({ id }) => id))
  const hosts = new Map(run.hosts.map(({ host, server }) => [host, server]))
  const from = run.startedAt.getTime() - BEFORE_MS
  const until = (run.finishedAt?.getTime() ?? Number.POSITIVE_INFINITY) + AFTER_MS
  const waiting = new Map<string, string[]>()
  for (const { id, server, tool, arguments: args } of run.calls) {
    const key = keyOf(server, tool, digestOf(args ?? {}))
    waiting.set(key, [...(waiting.get(key) ?? []), id])
  }
  const matches: HostedMatch[] = []
  const ordered = events.toSorted((a, b) => a.time.getTime() - b.time.getTime() || Number(a.id) - Number(b.id))
  for (const event of ordered) {
    const server = hosts.get(event.host)
    const time = event.time.getTime()
    if (event.accountId === null || !accounts.has(event.accountId) || server === undefined || time < from || time > until) continue
    const matchedBy = event.byHeader ? 'run-header' : 'account'
    if (event.mcpMethod === 'tools/call') {
      const toolCallId = waiting.get(keyOf(server, event.mcpTool ?? '', event.paramsDigest ?? digestOf({})))?.shift()
      if (toolCallId !== undefined) matches.push({ eventId: event.id, matchedBy, toolCallId })
      else if (wasLost(run, server, event)) matches.push({ eventId: event.id, matchedBy: 'lost-answer', toolCallId: null })
    } else if (event.mcpMethod === null ? event.method !== 'POST' : SESSION_METHODS.has(event.mcpMethod))
      // A POST without a method may be a call too large for the gateway to look into.
      matches.push({ eventId: event.id, matchedBy, toolCallId: null })
  }
  return matches
}

function wasLost({ lost, allowed }: HostedContext, server: string, { time, mcpTool }: HostedEvent): boolean {
  if (mcpTool === null || !allowed.get(server)?.includes(mcpTool)) return false
  return lost.some(({ from, until }) => time.getTime() >= from.getTime() - BEFORE_MS && time.getTime() <= until.getTime() + AFTER_MS)
}

const keyOf = (server: string, tool: string, digest: string) => `${server}\0${tool}\0${digest}`
