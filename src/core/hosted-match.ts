import { digestOf } from './digest.ts'

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
}

export interface HostedMatch {
  eventId: string
  matchedBy: 'run-header' | 'account'
  toolCallId: string | null
}

/** The log's clock has seconds, and a provider may end its sessions after its answer. */
const BEFORE_MS = 5000
const AFTER_MS = 120_000

/** What a provider asks beside calls, to open and close its sessions. */
const SESSION_METHODS = new Set(['initialize', 'notifications/initialized', 'notifications/cancelled', 'tools/list', 'ping'])

/**
 * Says which events of a hosted run are its own: sessions by the run alone, calls one for one with the calls that the provider reported, by server, tool
 * and arguments in the order of time. A call that the provider did not report is nobody's.
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
    } else if (event.mcpMethod === null ? event.method !== 'POST' : SESSION_METHODS.has(event.mcpMethod))
      // A POST without a method may be a call too large for the gateway to look into.
      matches.push({ eventId: event.id, matchedBy, toolCallId: null })
  }
  return matches
}

const keyOf = (server: string, tool: string, digest: string) => `${server}\0${tool}\0${digest}`
