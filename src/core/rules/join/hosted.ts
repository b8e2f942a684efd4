import { digestOf } from '../../../lib/hash/digest.ts'
import { parseDigits, parseDoubles, tryParse } from '../../../lib/json/parse.ts'

/** An event of a run whose provider calls the servers itself. */
export interface HostedEvent {
  id: string
  /** By the clock of the store. */
  time: Date
  accountId: string | null
  method: string
  host: string
  path: string
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
  /** Where requests of ours to each server went. */
  hosts: readonly { server: string; host: string; path: string }[]
  /** Calls that the provider reported and that explain no event yet. */
  calls: readonly { id: string; server: string; tool: string; arguments: unknown }[]
  /** Calls that the provider reported in all, and the most that the job allows. */
  reported: number
  maxCalls: number
  /** Answers that the provider was asked for. */
  answers: number
  /** How many events without a call this run has explained before, by place and method; and by an answer that was lost. */
  explained: readonly { place: string; events: number }[]
  lostCalls: number
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
/** A provider may open a session for each answer and each call, and try that again. */
const SESSIONS_EACH = 3

/** MCP methods of a session beside calls. */
const SESSION_METHODS = new Set(['initialize', 'notifications/initialized', 'notifications/cancelled', 'tools/list', 'ping'])

/** What is counted of events without a call: where they went, and what they were. */
export const placeOf = ({ host, method, mcpMethod }: { host: string; method: string; mcpMethod: string | null }): string =>
  `${host} ${mcpMethod ?? method}`

/**
 * Says which events of a hosted run are its own: sessions by the run alone, as many as its answers and calls need; calls one for one with the calls that the provider reported, by
 * server, tool and arguments in the order of time. A logged call that the provider did not report stays unexplained, unless its tool is allowed and a provider answer was
 * lost at that time: then it could not be reported. `mayCome` are events that the provider of a run under way may still report, as many as the job's limit of calls leaves.
 */
export function matchHosted(run: HostedContext, events: readonly HostedEvent[]): { matches: HostedMatch[]; mayCome: string[] } {
  const accounts = new Set(run.accounts.map(({ id }) => id))
  const servers = new Map(run.hosts.map(({ host, path, server }) => [`${host}${path}`, server]))
  const from = run.startedAt.getTime() - BEFORE_MS
  const until = (run.finishedAt?.getTime() ?? Number.POSITIVE_INFINITY) + AFTER_MS
  const waiting = new Map<string, string[]>()
  for (const { id, server, tool, arguments: args } of run.calls)
    for (const digest of digestsOf(args)) {
      const key = keyOf(server, tool, digest)
      waiting.set(key, [...(waiting.get(key) ?? []), id])
    }
  const taken = new Set<string>()
  const sessions = new Map(run.explained.map(({ place, events: n }) => [place, n]))
  const mostSessions = (calls: number) => SESSIONS_EACH * (run.answers + calls)
  let callsLeft = run.maxCalls - run.reported - run.lostCalls
  const matches: HostedMatch[] = []
  const mayCome: string[] = []
  const ordered = events.toSorted((a, b) => a.time.getTime() - b.time.getTime() || Number(a.id) - Number(b.id))
  for (const event of ordered) {
    const server = servers.get(`${event.host}${pathOf(event)}`)
    const time = event.time.getTime()
    if (event.accountId === null || !accounts.has(event.accountId) || server === undefined || time < from || time > until) continue
    const matchedBy = event.byHeader ? 'run-header' : 'account'
    if (event.mcpMethod === 'tools/call') {
      const key = keyOf(server, event.mcpTool ?? '', event.paramsDigest ?? digestOf({}))
      const toolCallId = takeNext(waiting.get(key) ?? [], taken)
      if (toolCallId !== undefined) matches.push({ eventId: event.id, matchedBy, toolCallId })
      else if (event.mcpTool !== null && run.allowed.get(server)?.includes(event.mcpTool) && callsLeft > 0) {
        if (wasLost(run, event)) matches.push({ eventId: event.id, matchedBy: 'lost-answer', toolCallId: null })
        else if (run.finishedAt === null) mayCome.push(event.id)
        else continue
        callsLeft--
      }
    } else if (event.mcpMethod === null ? event.method !== 'POST' : SESSION_METHODS.has(event.mcpMethod)) {
      // A POST without a method may be a call too large for the gateway to look into.
      const nth = (sessions.get(placeOf(event)) ?? 0) + 1
      sessions.set(placeOf(event), nth)
      if (nth <= mostSessions(run.reported + run.lostCalls)) matches.push({ eventId: event.id, matchedBy, toolCallId: null })
      else if (run.finishedAt === null && nth <= mostSessions(run.maxCalls)) mayCome.push(event.id)
    }
  }
  return { matches, mayCome }
}

/** The first of these calls that explains nothing yet; from now on it does. */
function takeNext(calls: string[], taken: Set<string>): string | undefined {
  for (let id = calls.shift(); id !== undefined; id = calls.shift()) {
    if (taken.has(id)) continue
    taken.add(id)
    return id
  }
  return undefined
}

/** What the log may have of the arguments of a call: their digits, or what is left of them in doubles. */
function digestsOf(args: unknown): Set<string> {
  if (typeof args !== 'string') return new Set([digestOf(args ?? {})])
  return new Set([parseDigits, parseDoubles].map((parse) => digestOf(tryParse(args, parse) ?? args)))
}

const pathOf = ({ path }: HostedEvent) => path.split('?', 1)[0] ?? ''

const wasLost = ({ lost }: HostedContext, { time }: HostedEvent) =>
  lost.some(({ from, until }) => time.getTime() >= from.getTime() - BEFORE_MS && time.getTime() <= until.getTime() + AFTER_MS)

const keyOf = (server: string, tool: string, digest: string) => `${server}\0${tool}\0${digest}`
