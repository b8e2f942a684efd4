import type { FailureRecord } from '../failure.ts'
import type { KeptImage, KeptText, ToolCallStatus } from '../run.ts'
import type { ServerWords } from '../words/tools.ts'

/** A tool as the model sees it. */
export interface ModelTool {
  /** `server__tool`, unique, `[A-Za-z0-9_-]{1,64}`. */
  name: string
  description: string
  parameters: Record<string, unknown>
}

export interface ToolCallRequest {
  turn: number
  position: number
  callId: string
  /** The model's name of the tool. */
  name: string
  /** JSON text, as the model wrote it. */
  arguments: string
  /** Most bytes of its result that are shown at once. */
  resultBytes: number
  /** A call that may be repeated is given up then (on the clock of `performance.now()`), so that there is time for an answer. */
  giveUpAt: number
}

export interface ToolOutcome {
  status: Exclude<ToolCallStatus, 'sent'>
  /** What the model reads. */
  text: string
  /** What it reads is not all of the result. */
  truncated: boolean
  /** Where more is kept than the text shows: it is durable before the call ends. */
  kept?: KeptText
  images?: KeptImage[]
  /** Resources that the result names without holding them. */
  uris?: string[]
  failure: FailureRecord | null
  /** The model called a tool that does not exist or with arguments that do not fit. */
  mistake: boolean
}

/** The tools of a run. `call` journals before and after; it throws only what must end the attempt. */
export interface ToolBox {
  /** Those of the job's servers and, where one offers resources, `nightshift__read`. */
  tools: ModelTool[]
  /** What is known of the servers beside their tools, in the job's order. */
  servers: ServerWords[]
  /** The call that is meant: of one through `nightshift__call_tool`, that of the tool itself. */
  resolve(call: { name: string; arguments: string }): { name: string; arguments: string }
  /** Whether a call of the tool with that name may be made twice without harm, as the job says. False for a name that is none. */
  isRepeatable(name: string): boolean
  /** The server whose tool has that name; undefined for a name that is none. */
  serverOf(name: string): string | undefined
  call(request: ToolCallRequest, signal: AbortSignal): Promise<ToolOutcome>
}
