import type { FailureRecord } from '../failure.ts'
import type { Reason, ToolCallStatus, ToolResult, TurnItem, TurnPurpose, TurnWait, Usage, KeptContent } from '../run.ts'

export interface TurnRecord {
  number: number
  /** The provider that answered, by its name in the configuration. */
  provider?: string | undefined
  /** What was waited for, and who was asked before. */
  waits?: readonly TurnWait[] | undefined
  /** The service tier that it says it used. */
  tier?: string | undefined
  /** What it was for; undefined: the work itself. */
  purpose?: TurnPurpose | undefined
  /** What of the conversation before it was put aside when it was asked for, as JSON. */
  context?: unknown
  /** What we said to the model before it, beside the prompt and results of calls; null when nothing. */
  told: string | null
  items: TurnItem[]
  stopReason: string
  /** Why this was the last turn; null when it was not forced. */
  forcedBy: Reason | null
  /** The provider's id of the answer, and of the HTTP request. */
  responseId: string | null
  providerRequestId: string | null
  model: string
  usage: Usage
  costUsd: number | null
  startedAt: Date
  finishedAt: Date
}

/** Requests for a turn that a model may have worked on, and whose answers were not seen to their end. */
export interface UnseenAnswer {
  turn: number
  /** An estimate, of all of them together. */
  usage: Usage
}

export interface ToolCallRecord {
  id: string
  turn: number
  /** Place among the calls of its turn, from 0. */
  position: number
  /** The model's id of the call. */
  callId: string
  /** Empty for a tool that does not exist, or of which a provider said no more than that it is called. */
  server: string
  tool: string
  /** Null while they are not known. */
  arguments: unknown
  repeatable: boolean
}

/** What became known of a call after its row was written: a provider announces a call before it says what it is. */
export type ToolCallDetails = Pick<ToolCallRecord, 'id' | 'server' | 'tool' | 'arguments' | 'repeatable'>

export interface ToolCallEnd {
  id: string
  status: Exclude<ToolCallStatus, 'sent'>
  result: ToolResult | null
  failure: FailureRecord | null
  durationMs: number
}

export interface GatewayRequestRecord {
  requestIdSent: string
  toolCallId: string | null
  account: string
  /** The service account id (`jti`), as in Pomerium's log. */
  accountId: string
  method: string
  host: string
  path: string
  rpcMethod: string | null
  /** Route that it was for; null for the gateway itself. */
  server: string | null
  requestBytes: number
  sentAt: Date
}

export interface GatewayRequestEnd {
  requestIdSent: string
  /** The id Pomerium answered with; null when there was no answer. */
  requestId: string | null
  status: number | null
  responseBytes: number | null
  durationMs: number
  error: string | null
}

/** A hosted answer that the provider is about to be asked for. */
export interface ResponseRecord {
  turn: number
  background: boolean
}

export interface ResponseState {
  turn: number
  /** The provider's id, once it is known. */
  responseId: string | null
  /** `over`: nothing of it is under way any more, or it provably never began. */
  state: 'started' | 'over'
  /** Whether it goes on without us, once the provider said so; as it was asked for until then. */
  background?: boolean
}

/** Writes each request to the gateway: before a byte is sent, and what came back. */
export interface RequestJournal {
  gatewayRequest(record: GatewayRequestRecord): Promise<void>
  gatewayRequestEnd(end: GatewayRequestEnd): Promise<void>
}

/** What is too large for a row, or no text. */
export interface Content {
  content: Buffer
  mediaType: string
}

/** Writes each tool call: before it is sent, and what came of it. */
export interface CallJournal {
  /** Keeps it once for its digest. Resolves when it is durable and the run refers to it: a row that names it is written after that. */
  keepContent(content: Content): Promise<KeptContent>
  toolCall(record: ToolCallRecord): Promise<void>
  /** A call that is never sent, with its end. */
  toolCallRefused(record: ToolCallRecord, end: ToolCallEnd): Promise<void>
  toolCallEnd(end: ToolCallEnd): Promise<void>
}

/** The calls of a hosted answer that an earlier attempt left without an end, and that nobody will see. */
export interface LostCalls {
  turn: number
  failure: FailureRecord
}

/** What the model is asked, as it was rendered. */
export interface PromptRecord {
  prompt: string
  instructions: string | null
  /** Version of our contract in the instructions; null when there is none. */
  contract: string | null
}

/**
 * Writes what an attempt does. Each promise resolves when the row is durable, and rejects with `WORKER_LOST` once the attempt is not the
 * run's open one. Rows become durable in the order of the calls.
 */
export interface Journal extends RequestJournal, CallJournal {
  /** What was kept under a digest; undefined when it is not there any more. */
  readContent(digest: string): Promise<Buffer | undefined>
  prompt(record: PromptRecord): Promise<void>
  turn(record: TurnRecord): Promise<void>
  /** Once for a turn in an attempt, before or beside the turn itself. */
  unseenAnswer(record: UnseenAnswer): Promise<void>
  /** Of a call whose end was not seen; of any other it changes nothing. */
  toolCallDetails(details: ToolCallDetails): Promise<void>
  /** Ends them as unknown. */
  lostCalls(lost: LostCalls): Promise<void>
  response(record: ResponseRecord): Promise<void>
  responseState(state: ResponseState): Promise<void>
}
