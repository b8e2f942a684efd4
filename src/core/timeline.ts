import type { Act, RunActView, Via } from './acts.ts'
import type { FailureRecord } from './failure.ts'
import { isFinal, type Reason, type RunStatus, type TurnItem, type Usage } from './run.ts'
import { waitsInOne, type ModelWait } from './models/used.ts'
import type { AttemptView, RunView, ToolCallView, TurnView } from './view.ts'

/** What happened in a run, one thing after the other. */
export type TimelineEvent =
  | { event: 'queued'; at: string }
  | { event: 'attempt'; at: string; number: number; worker: string }
  | {
      event: 'turn'
      at: string
      number: number
      calls: string[]
      answers: boolean
      /** What it was for beside the work itself, such as `summary`. */
      purpose?: string
      /** How many results were put aside before it. */
      putAside?: number
      /** How often its provider compacted what was read. */
      compacted?: number
      usage: Usage
    }
  | ({ event: 'modelWait'; turn: number } & ModelWait)
  | {
      event: 'call'
      at: string
      /** Of the call among the run's tool calls. */
      id: string
      turn: number
      server: string
      tool: string
      status: string
      durationMs: number | null
      requestId: string | null
      failure: FailureRecord | null
    }
  | { event: 'attemptEnded'; at: string; number: number; status: string; failure: FailureRecord | null; mayGoOnUntil?: string }
  | { event: 'act'; at: string; act: Act; by: string; via: Via; origin: string | null; reason: string | null }
  | { event: 'waiting'; at: string; failure: FailureRecord | null }
  | { event: 'finished'; at: string; status: RunStatus; reasons: Reason[] }

/**
 * The timeline of a run so far. It only grows, also when the run goes on after waiting, an end, or a retry, so an index into it stays valid: the calls of a
 * turn are listed in their order, each once the ones before it have ended, and what a person did during an attempt once that is over.
 */
export function timelineOf(run: RunView): TimelineEvent[] {
  const events: TimelineEvent[] = [{ event: 'queued', at: run.createdAt }]
  const conversations = [...run.attempts, ...run.acts, ...run.earlierEnds].map(({ conversation }) => conversation)
  for (const conversation of new Set(conversations.toSorted((a, b) => a - b))) events.push(...conversationEvents(run, conversation))
  if (isFinal(run.status)) events.push({ event: 'finished', at: run.finishedAt ?? run.createdAt, status: run.status, reasons: run.reasons })
  return events
}

/** Attempts and acts, the end if the run went on after it, and the retry with which it did. */
function conversationEvents(run: RunView, conversation: number): TimelineEvent[] {
  const ofIt = (one: { conversation: number }) => one.conversation === conversation
  const attempts = run.attempts.filter(ofIt)
  const acts = run.acts.filter(ofIt)
  const retries = acts.filter(({ act }) => act === 'retry')
  const others = acts.filter(({ act }) => act !== 'retry')
  const first = attempts[0]?.number ?? Number.POSITIVE_INFINITY
  return [
    ...others.filter(({ attempt }) => attempt < first).map(actEvent),
    ...attempts.flatMap((attempt) => [
      ...attemptEvents(run, attempt),
      ...(attempt.finishedAt === null ? [] : others.filter((act) => act.attempt === attempt.number).map(actEvent)),
    ]),
    ...run.earlierEnds
      .filter(ofIt)
      .map(({ finishedAt, status, reasons }): TimelineEvent => ({ event: 'finished', at: finishedAt, status, reasons })),
    ...retries.map(actEvent),
  ]
}

const actEvent = ({ at, act, by, via, origin, reason }: RunActView): TimelineEvent => ({ event: 'act', at, act, by, via, origin, reason })

function attemptEvents(run: RunView, attempt: AttemptView): TimelineEvent[] {
  const { number, worker, status, failure, startedAt, finishedAt, mayGoOnUntil } = attempt
  const events: TimelineEvent[] = [{ event: 'attempt', at: startedAt, number, worker }]
  const calls = run.toolCalls.filter((call) => call.attempt === number)
  const turns = run.turns.filter((turn) => turn.attempt === number)
  for (const turnNumber of new Set(
    [...turns, ...calls.map((call) => ({ number: call.turn }))].map((one) => one.number).toSorted((a, b) => a - b),
  )) {
    const turn = turns.find((one) => one.number === turnNumber)
    const told = endedInOrder(
      calls.filter((call) => call.turn === turnNumber),
      finishedAt !== null,
    )
    // Hosted: the calls come before their turn, which asks for none.
    const asks = turn?.items.some(({ type }) => type === 'tool_call') ?? false
    if (turn && asks) events.push(...turnEvents(turn))
    events.push(...told)
    if (turn && !asks) events.push(...turnEvents(turn))
  }
  if (finishedAt === null) return events
  events.push({ event: 'attemptEnded', at: finishedAt, number, status, failure, ...(mayGoOnUntil !== null && { mayGoOnUntil }) })
  if (status === 'waiting') events.push({ event: 'waiting', at: finishedAt, failure })
  return events
}

function endedInOrder(calls: readonly ToolCallView[], over: boolean): TimelineEvent[] {
  const open = over ? -1 : calls.findIndex((call) => call.status === 'sent')
  return (open === -1 ? calls : calls.slice(0, open)).map(
    ({ id, startedAt, finishedAt, turn, server, tool, status, durationMs, requestId, failure }) => ({
      event: 'call',
      at: finishedAt ?? startedAt,
      id,
      turn,
      server,
      tool,
      status,
      durationMs,
      requestId,
      failure,
    }),
  )
}

function turnEvents({ number, items, finishedAt, purpose, putAside, compacted, usage, waits }: TurnView): TimelineEvent[] {
  const turn: TimelineEvent = {
    event: 'turn',
    at: finishedAt,
    number,
    calls: items.flatMap(nameOfCall),
    answers: items.some(({ type }) => type === 'message'),
    ...(purpose !== null && { purpose }),
    ...(putAside > 0 && { putAside }),
    ...(compacted > 0 && { compacted }),
    usage,
  }
  return [...waitsInOne(waits ?? []).map((wait): TimelineEvent => ({ event: 'modelWait', turn: number, ...wait })), turn]
}

const nameOfCall = (item: TurnItem) => (item.type === 'tool_call' ? [item.name] : [])
