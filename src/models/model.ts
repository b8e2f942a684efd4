import type { ModelSettings } from '../core/models/settings.ts'
import type { Ending, Reason, TurnItem, TurnWait, Usage } from '../core/run.ts'
import type { ModelTool } from '../core/ports/toolbox.ts'

/** What a call gave, as the model is told. */
export interface ToldResult {
  callId: string
  text: string
  /** The call failed, or was not made. */
  isError?: boolean
  /** The id by which the model reads it again (`resultId`); none where no call was made. */
  id?: string
  /** Where in the text a note of ours begins, in UTF-16 units. It is told also where the result itself is put aside. */
  noteFrom?: number
  /** Shown beside the text to models that read images. */
  images?: readonly ToldImage[]
}

export interface ToldImage {
  mediaType: string
  /** Base64. */
  data: string
}

/** A past turn of the conversation, as it is told again: what the model said, then what its calls gave or what we said to it. */
export interface Exchange {
  items: TurnItem[]
  results: ToldResult[]
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
  /** The one tool that a last turn must call, where the answer is given by a call. */
  mustCall?: string | undefined
  /** The job needs a result of a tool, and there is none yet: the turn begins with a call. */
  needsCall?: boolean
  labels?: Labels | undefined
  /** How the model is to work, as the job says. */
  settings?: ModelSettings | undefined
  /** Requests with the same key begin alike: a provider keeps them where its cache finds them. At most 64 characters. */
  cacheKey?: string | undefined
  output: OutputFormat | undefined
}

/** What a request is for, as its provider may be told. No words of a prompt, and no secrets. */
export interface Labels {
  run: string
  job: string
  attempt: string
  /** A digest of the account, the same each time: at most 64 characters. */
  user: string
}

/** The provider's own output format. */
export interface OutputFormat {
  name: string
  schema: Record<string, unknown>
  /** The schema qualifies for the provider's strict mode. */
  strict: boolean
}

/** `stopped`: by us, before the answer was whole. */
export type StopReason = 'end' | 'cut' | 'filtered' | 'stopped'

export interface ModelTurn {
  items: TurnItem[]
  stopReason: StopReason
  /** Null: the provider gave none, or none that can be. */
  usage: Usage | null
  responseId: string | null
  providerRequestId: string | null
  model: string
  /** Its provider, by its name in the configuration, and what was waited for before; undefined of a model that is alone. */
  provider?: string | undefined
  waits?: readonly TurnWait[] | undefined
  /** The service tier that the provider says it used; undefined where it says none. */
  tier?: string | undefined
}

/** What became of a request while it was under way: what is known when no answer comes. */
export interface Asked {
  /** How often it was sent so that a model may have been at work on it; the client asks again by itself. */
  times: number
  /** Bytes of what the model was seen to say. */
  seenBytes: number
}

/** A model behind one of the provider's APIs. `respond` throws `Failure`s of the `MODEL_…` codes. */
export interface Model {
  /** `asked` is counted up as it goes. */
  respond(request: ModelRequest, signal: AbortSignal, asked?: Asked): Promise<ModelTurn>
}

export type ParsedOutput =
  /** `mended`: what was put right, a sentence each. */
  | { ok: true; value: unknown; mended: string[] }
  /** `why` is for people, `told` for the model. */
  | { ok: false; why: string; told: string }

/** How the final text of a run is asked for and read. */
export interface OutputCheck {
  format: OutputFormat
  /** By the provider's format, by a tool of ours, or in words (`output.mode`). */
  mode: 'native' | 'tool' | 'prompt'
  /** The provider takes a format while tools may be called. */
  withTools: boolean
  /** Paths whose values must stand in a result of a tool. */
  grounded: readonly string[]
  /** `cut`: the answer ended at its limit, with so many tokens. */
  parse: (text: string, cut: { limitTokens: number } | undefined) => ParsedOutput
}

/** What a delegate gives back. Without an answer it throws. */
export interface DelegateResult {
  /** The last text of the model; null when there was none. */
  text: string | null
  output: unknown
  /** What was put right in the answer, a sentence each. */
  mended: string[]
  /** Why it is not green. */
  reasons: Reason[]
  /** How the model ended it by a call instead of an answer. */
  ending: Ending | undefined
  usage: Usage
  costUsd: number | null
}
