import type { RunActView } from './acts.ts'
import type { FailureRecord } from './failure.ts'
import type { ModelUse } from './models/used.ts'
import type { Wait } from './rules/consent-wait.ts'
import type { Ending, FinalStatus, Reason, RunStatus, ToolCallStatus, ToolResult, Trigger, TurnItem, TurnWait, Usage, Tags } from './run.ts'

/** Everything that is known of a run, in the shape that `show --json` and the API promise. */
export interface RunView {
  id: string
  job: string
  jobVersion: string
  status: RunStatus
  reasons: Reason[]
  /** What a run came to before calls were found that its provider did not report; null: it stands as it ended. */
  endedAs: { status: FinalStatus; reasons: Reason[] } | null
  failure: FailureRecord | null
  trigger: Trigger
  /** Who asked, when it was not a schedule. */
  requestedBy: string | null
  /** What who asked calls it by. */
  tags: Tags
  account: string
  retryOf: string | null
  /** What holds a queued run back: a pause or a limit. */
  heldBy: string | null
  /** The run that must be over before this queued one begins (overlap: queue). */
  afterRun: string | null
  /** When a queued run may begin, or be tried again; null: now. */
  nextAttemptAt: string | null
  /** When a run that nobody has begun is given up. */
  expireAt: string | null
  /** What a waiting run waits for. */
  waitsFor: Wait | null
  input: unknown
  output: unknown
  outputText: string | null
  /** How the model ended it by a call instead of an answer. */
  ending: Ending | null
  /** What was put right in the answer, a sentence each. */
  mended: string[]
  usage: Usage
  /** `usd`: what is known, null when nothing is. `atLeast`: some of what it used is not known, so that it cost more. */
  cost: { usd: number | null; atLeast: boolean }
  /** The models that answered, at the tiers that their providers said. */
  models: ModelUse[]
  attempts: AttemptView[]
  turns: TurnView[]
  toolCalls: ToolCallView[]
  gatewayRequests: GatewayRequestView[]
  /** Requests in Pomerium's log that are the run's own and that its provider did not report, the first hundred. */
  unreported: UnreportedView[]
  /** What people did to it: who cancelled it, or let it go on. */
  acts: RunActView[]
  /** What it had come to before it was retried, by conversation. */
  earlierEnds: RunEndView[]
  createdAt: string
  startedAt: string | null
  finishedAt: string | null
}

/** An end that a run had before it went on. */
export interface RunEndView {
  conversation: number
  status: FinalStatus
  failure: FailureRecord | null
  reasons: Reason[]
  finishedAt: string
}

export interface AttemptView {
  number: number
  status: string
  worker: string
  conversation: number
  jobVersion: string
  /** What the model was asked, as it was rendered. */
  prompt: string | null
  instructions: string | null
  /** Version of the words of ours in them; null when there are none. */
  contract: string | null
  failure: FailureRecord | null
  /** Its result, when a retry came after it. */
  output: unknown
  outputText: string | null
  ending: Ending | null
  mended: string[] | null
  reasons: Reason[] | null
  startedAt: string
  finishedAt: string | null
  /** Until when its provider, which has no background mode, may go on after it, since the end of its answer was not seen; null: it does not. */
  mayGoOnUntil: string | null
}

export interface TurnView {
  number: number
  attempt: number
  /** What Nightshift said to the model before this turn, beside the prompt and the results of calls: what was wrong with its answer, notes, calls that were not made. */
  told: string | null
  /** What it was for beside the work itself: `summary`, or what a later version knows. */
  purpose: string | null
  /** How many results were put aside before it, since the turn before. */
  putAside: number
  /** How often a hosted provider says that it compacted what was read, in this answer. */
  compacted: number
  /** The model's notes, of a summary. */
  notes: string | null
  items: TurnItem[]
  stopReason: string
  responseId: string | null
  providerRequestId: string | null
  /** By its name in the configuration; null in rows of an earlier version. */
  provider: string | null
  model: string
  /** The service tier that the provider said; null: it said none. */
  tier: string | null
  /** What was waited for before it, and which models were asked before the one that answered; null: nothing. */
  waits: TurnWait[] | null
  usage: Usage
  costUsd: number | null
  startedAt: string
  finishedAt: string
}

/** What Pomerium's log says about a request, once it was joined. */
export interface DecisionView {
  allowed: boolean
  /** Why, in Pomerium's words. */
  reasons: string[]
  requestId: string
  /** How the line was found: by the request's id, or by the run and the call's arguments. */
  matchedBy: string
  time: string
}

/** A request of a hosted run that only Pomerium's log tells of. */
export interface UnreportedView {
  requestId: string
  time: string
  accountId: string | null
  host: string
  mcpMethod: string | null
  tool: string | null
  ip: string
  allowed: boolean
  /** `lost-answer`: it could not be reported. `unreported`: it could have been, or is not what the job allows. */
  matchedBy: 'lost-answer' | 'unreported'
}

export interface ToolCallView {
  id: string
  attempt: number
  turn: number
  server: string
  tool: string
  arguments: unknown
  status: ToolCallStatus
  result: ToolResult | null
  failure: FailureRecord | null
  requestIdSent: string | null
  requestId: string | null
  durationMs: number | null
  repeatable: boolean
  /** Null: no line was read yet. */
  decision: DecisionView | null
  startedAt: string
  finishedAt: string | null
}

export interface GatewayRequestView {
  requestIdSent: string
  requestId: string | null
  attempt: number
  account: string
  accountId: string
  method: string
  host: string
  path: string
  rpcMethod: string | null
  decision: DecisionView | null
  status: number | null
  error: string | null
  requestBytes: number
  responseBytes: number | null
  sentAt: string
  durationMs: number | null
}
