import { digestOf } from '../../lib/hash/digest.ts'

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
  /** Times of attempts whose provider answer was lost: it may have made calls that were not reported. */
  lost: readonly { from: Date; until: Date }[]
  /** Tools that the job allows, by server. */
  allowed: ReadonlyMap<string, readonly string[]>
}

export interface HostedMatch {
  eventId: string
  matchedBy: 'run-header' | 'account' | 'lost-answer'
  toolCallId: string | null
}

/** Tolerances: the log's times are whole seconds, and a provider may close its sessions after its answer. */
const BEFORE_MS = 5000
const AFTER_MS = 120_000

/** MCP methods of a session beside calls. */
const SESSION_METHODS = new Set(['initialize', 'notifications/initialized', 'notifications/cancelled', 'tools/list', 'ping'])

/**
 * Says which events of a hosted run are its own: sessions by the run alone, calls one for one with the calls that the provider reported, by server, tool
 * and arguments in the order of time. A logged call that the provider did not report stays unexplained, unless its tool is allowed and a provider answer was
 * lost at that time: then it could not be reported.
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
