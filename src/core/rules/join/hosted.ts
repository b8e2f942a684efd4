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
  /** Its provider may still report calls: it is under way, or ended only just now. */
  mayReport: boolean
  /** It is under way, and of an answer that was asked for the end was not seen: its next attempt may find it. */
  mayFind: boolean
  /** When its provider was at work; of one that may have gone on after the attempt, as long as that goes. */
  work: readonly { from: Date; until: Date | null }[]
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
  /** How many events without a call this run has explained before, by place and method; by an answer that was lost; and how many calls were not reported. */
  explained: readonly { place: string; events: number }[]
  lostCalls: number
  unreportedCalls: number
  /** Times of attempts whose provider answer was lost: it may have made calls that were not reported. */
  lost: readonly { from: Date; until: Date }[]
  /** Tools that the job allows, by server. */
  allowed: ReadonlyMap<string, readonly string[]>
}

export interface HostedMatch {
  eventId: string
  /** `unreported`: it is the run's own, and nothing that is recorded explains it. */
  matchedBy: 'run-header' | 'account' | 'lost-answer' | 'unreported'
  toolCallId: string | null
}

/** Tolerances: the log's times are whole seconds, and a provider may close its sessions after its answer. */
const BEFORE_MS = 5000
const AFTER_MS = 120_000
/** A provider may open a session for each answer and each call, and try that again. */
const SESSIONS_EACH = 3

/** MCP methods of a session beside calls: what clients ask when it begins, and what they tell in its course. None reads or does anything. */
const SESSION_METHODS = new Set([
  'initialize', 'ping', 'tools/list', 'resources/list', 'resources/templates/list', 'prompts/list', 'logging/setLevel',
  'notifications/initialized', 'notifications/cancelled', 'notifications/progress', 'notifications/roots/list_changed',
]) // prettier-ignore

/** What is counted of events without a call: where they went, and what they were. */
export const placeOf = ({ host, method, mcpMethod }: { host: string; method: string; mcpMethod: string | null }): string =>
  `${host} ${mcpMethod ?? method}`

/**
 * Says which events of a hosted run are its own: sessions by the run alone, as many as its answers and calls need; calls one for one with the calls that the provider reported, by
 * server, tool and arguments in the order of time (by server and tool where the arguments were never said), or by an answer that was lost where the tool is allowed. `mayCome` are events that the provider of a run may still report, which is or was at work then, as many
 * as the job's limit of calls leaves. Any other that came to one of the run's servers from one of its accounts while its provider was at work is `unreported`: it stands against the run, and
 * says nothing of the account. What is left is explained by nothing.
 */
export function matchHosted(run: HostedContext, events: readonly HostedEvent[]): { matches: HostedMatch[]; mayCome: string[] } {
  const accounts = new Set(run.accounts.map(({ id }) => id))
  const servers = new Map(run.hosts.map(({ host, path, server }) => [`${host}${path}`, server]))
  const waiting = new Map<string, string[]>()
  for (const { id, server, tool, arguments: args } of run.calls)
    for (const digest of digestsOf(args)) {
      const key = keyOf(server, tool, digest)
      waiting.set(key, [...(waiting.get(key) ?? []), id])
    }
  // Of a call that was announced and then lost its provider, the arguments may not be known: any of its tool will do.
  const unsaid = Map.groupBy(
    run.calls.filter(({ arguments: args }) => args === null),
    ({ server, tool }) => keyOf(server, tool, ''),
  )
  const taken = new Set<string>()
  const sessions = new Map(run.explained.map(({ place, events: n }) => [place, n]))
  let { unreportedCalls } = run
  const mostSessions = (calls: number) => SESSIONS_EACH * (run.answers + calls + unreportedCalls)
  let callsLeft = run.maxCalls - run.reported - run.lostCalls
  const matches: HostedMatch[] = []
  const mayCome: string[] = []
  const own = events
    .toSorted((a, b) => a.time.getTime() - b.time.getTime() || Number(a.id) - Number(b.id))
    .flatMap((event) => {
      const server = servers.get(`${event.host}${pathOf(event)}`)
      const isOwn = event.accountId !== null && accounts.has(event.accountId) && server !== undefined
      return isOwn && (isDuring(run, event) || isAtWork(run, event)) ? [{ ...event, server, how: howOf(event) }] : []
    })
  const notReported = (event: HostedEvent) => {
    if (isAtWork(run, event)) matches.push({ eventId: event.id, matchedBy: 'unreported', toolCallId: null })
  }
  for (const event of own.filter(isCall)) {
    const { server, mcpTool, how } = event
    const toolCallId =
      takeNext(waiting.get(keyOf(server, mcpTool ?? '', event.paramsDigest ?? digestOf({}))) ?? [], taken) ??
      takeNext(
        (unsaid.get(keyOf(server, mcpTool ?? '', '')) ?? []).map(({ id }) => id),
        taken,
      )
    const isLikely = toolCallId === undefined && mcpTool !== null && (run.allowed.get(server)?.includes(mcpTool) ?? false) && callsLeft > 0
    if (toolCallId !== undefined) matches.push({ eventId: event.id, matchedBy: how, toolCallId })
    else if (isLikely && (wasLost(run, event) || mayBeSaid(run, event))) {
      callsLeft--
      if (wasLost(run, event)) matches.push({ eventId: event.id, matchedBy: 'lost-answer', toolCallId: null })
      else mayCome.push(event.id)
    } else {
      if (isAtWork(run, event)) unreportedCalls++
      notReported(event)
    }
  }
  // A POST without a method may be a call too large for the gateway to look into.
  const isSession = ({ method, mcpMethod }: HostedEvent) => (mcpMethod === null ? method !== 'POST' : SESSION_METHODS.has(mcpMethod))
  for (const event of own.filter((one) => !isCall(one))) {
    const nth = (sessions.get(placeOf(event)) ?? 0) + 1
    if (isSession(event)) sessions.set(placeOf(event), nth)
    if (isSession(event) && nth <= mostSessions(run.reported + run.lostCalls))
      matches.push({ eventId: event.id, matchedBy: event.how, toolCallId: null })
    else if (isSession(event) && mayBeSaid(run, event) && nth <= mostSessions(run.maxCalls)) mayCome.push(event.id)
    else notReported(event)
  }
  return { matches, mayCome }
}

const isCall = ({ mcpMethod }: HostedEvent) => mcpMethod === 'tools/call'
const howOf = ({ byHeader }: HostedEvent): HostedMatch['matchedBy'] => (byHeader ? 'run-header' : 'account')

/** True of a time from the run's beginning to its end, with the tolerances. */
const isDuring = ({ startedAt, finishedAt }: HostedContext, { time }: HostedEvent) => isWithin({ from: startedAt, until: finishedAt }, time)

/** True of a time when the run's provider was at work. */
const isAtWork = ({ work }: HostedContext, { time }: HostedEvent) => work.some((span) => isWithin(span, time))

/** True of what the run's provider may still report: it was at work then, or its answer may be found. While a run waits for something else, nobody is. */
const mayBeSaid = (run: HostedContext, event: HostedEvent) => run.mayReport && (run.mayFind || isAtWork(run, event))

const isWithin = ({ from, until }: { from: Date; until: Date | null }, time: Date) =>
  time.getTime() >= from.getTime() - BEFORE_MS && (until === null || time.getTime() <= until.getTime() + AFTER_MS)

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
