import type { FailureRecord } from './failure.ts'
import type { Reason, ToolCallStatus, ToolResult, TurnItem, Usage } from './run.ts'

/** A turn that an earlier attempt wrote, with what is known of its calls, in their order. */
export interface PastTurn {
  number: number
  attempt: number
  /** Null in a row of an earlier version. */
  provider: string | null
  model: string
  tier: string | null
  /** Null: the work itself. A later version may know others. */
  purpose: string | null
  /** As it was written with the turn; null: nothing was put aside. */
  context: unknown
  items: TurnItem[]
  stopReason: string
  forcedBy: Reason | null
  usage: Usage
  costUsd: number | null
  startedAt: Date
  finishedAt: Date
  calls: PastCall[]
}

/** Requests of an earlier attempt for a turn whose answers it did not see the end of. */
export interface PastUnseen {
  attempt: number
  turn: number
  /** An estimate. */
  usage: Usage
}

export interface PastCall {
  position: number
  /** The model's id of the call. */
  callId: string
  arguments: unknown
  server: string
  tool: string
  repeatable: boolean
  status: ToolCallStatus
  result: ToolResult | null
  failure: FailureRecord | null
}
