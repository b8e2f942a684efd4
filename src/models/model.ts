import type { Ending, Reason, TurnItem, Usage } from '../core/run.ts'
import type { ModelTool } from '../core/ports/toolbox.ts'

/** A past turn of the conversation, as it is told again: what the model said, then what its calls gave or what we said to it. */
export interface Exchange {
  items: TurnItem[]
  results: { callId: string; text: string }[]
  /** What we answer when a turn had no calls, such as what is wrong with its output. */
  reply?: string
}

export interface ModelRequest {
  instructions: string | undefined
  prompt: string
  exchanges: readonly Exchange[]
  tools: readonly ModelTool[]
  /** False in a last turn: the model must answer with what it has. */
  mayCall: boolean
  output: { name: string; schema: Record<string, unknown> } | undefined
}

/** `stopped`: by us, before the answer was whole. */
export type StopReason = 'end' | 'cut' | 'filtered' | 'stopped'

export interface ModelTurn {
  items: TurnItem[]
  stopReason: StopReason
  usage: Usage
  responseId: string | null
  providerRequestId: string | null
  model: string
}

/** A model behind one of the provider's APIs. `respond` throws `Failure`s of the `MODEL_…` codes. */
export interface Model {
  respond(request: ModelRequest, signal: AbortSignal): Promise<ModelTurn>
}

export type ParsedOutput = { ok: true; value: unknown } | { ok: false; why: string }

/** Checks the final text of a run. */
export interface OutputCheck {
  name: string
  schema: Record<string, unknown>
  parse: (text: string) => ParsedOutput
}

/** What a delegate gives back. Without an answer it throws. */
export interface DelegateResult {
  /** The last text of the model; null when there was none. */
  text: string | null
  output: unknown
  /** Why it is not green. */
  reasons: Reason[]
  /** How the model ended it by a call instead of an answer. */
  ending: Ending | undefined
  usage: Usage
  costUsd: number | null
}
