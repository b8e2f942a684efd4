import type { Failure, FailureRecord } from '../../core/failure.ts'
import type { Keeping } from '../../core/rules/reading/keep.ts'
import { compactAt } from '../../core/rules/context/window.ts'
import type { KeptText, ToolCallStatus } from '../../core/run.ts'
import type { HostedModel, HostedRequest } from '../../models/hosted.ts'
import { formatOf, type DelegateOptions } from '../turn.ts'

/** A server that the provider is handed. */
export interface HostedServer {
  name: string
  url: string
  /** Tools that the job allows and the server has. */
  tools: readonly string[]
  repeatable: readonly string[]
  required: boolean
}

/** What is known of a call in the conversation. */
export interface KnownCall {
  callId: string
  arguments: unknown
  server: string
  tool: string
  repeatable: boolean
  status: ToolCallStatus
  text: string
  /** What the provider gave its model was not kept whole. */
  truncated: boolean
  kept?: KeptText | undefined
  failure: FailureRecord | null
}

export interface HostedOptions extends DelegateOptions {
  /** Our name of a tool, for its calls in a turn that we ask for after the provider's answer. */
  nameOf: (server: string, tool: string) => string
  hosted: HostedModel
  runId: string
  servers: readonly HostedServer[]
  /** The account's token and the run's id, sent by the provider with each of its requests. */
  headers: () => Record<string, string>
  /** How results stand in rows, and are kept: nobody reads on in them but people. */
  showing: Keeping
  /** No attempt follows when this one fails for a reason that time may heal. */
  isLastTry: boolean
  /** An answer that an earlier attempt asked for and of which it wrote no turn. `acted`: calls that must not run twice may have run. */
  open: { turn: number; responseId: string | null; background: boolean; isOver: boolean; acted: boolean } | undefined
  /** Calls of answers that became no turn, by the number that the turn would have had: they count for `limits.toolCalls` as well. */
  lostCalls: readonly { turn: number; calls: number }[]
  /** Says by the route list whether a 401 means the token or a person's consent. */
  explain401: (server: string) => Promise<Failure>
}

/** How many calls `limits.toolCalls` leaves for the answer that becomes this turn. */
export const callsLeft = ({ limits, lostCalls }: Pick<HostedOptions, 'limits' | 'lostCalls'>, turn: number): number =>
  lostCalls.reduce((left, lost) => (lost.turn === turn ? left : Math.max(left - lost.calls, 0)), limits.toolCalls)

/** What the provider is asked for the answer that becomes this turn. */
export const hostedRequest = (
  { instructions, prompt, output, servers, headers, labels, settings, cacheKey, limits, lostCalls, window }: HostedOptions,
  turn: number,
): HostedRequest => ({
  instructions,
  prompt,
  output: formatOf(output, true),
  labels,
  settings,
  cacheKey,
  compactAt: window && compactAt(window, settings.maxOutputTokens),
  maxToolCalls: callsLeft({ limits, lostCalls }, turn),
  servers: servers.map(({ name, url, tools }) => ({ name, url, tools, headers: headers() })),
})
