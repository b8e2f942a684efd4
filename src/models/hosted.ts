// Hosted delegation, independent of a provider's protocol: each protocol translates its events into the types of this file.
import type { ModelSettings } from '../core/models/settings.ts'
import type { Usage } from '../core/run.ts'
import type { Asked, Labels, ModelTurn, OutputFormat } from './model.ts'

/** A server that the provider is handed. */
export interface HostedTarget {
  name: string
  url: string
  tools: readonly string[]
  /** The account's token and the run's id, sent by the provider with each of its requests. Secrets. */
  headers: Record<string, string>
}

export interface HostedRequest {
  /** From so many tokens on the provider is to compact what was said and read, where it can; undefined: it is not asked to. */
  compactAt?: number | undefined
  /** Most calls that the provider may make; not each provider keeps it. */
  maxToolCalls: number
  instructions: string | undefined
  prompt: string
  servers: readonly HostedTarget[]
  output: OutputFormat | undefined
  labels?: Labels | undefined
  /** How the model is to work, as the job says. */
  settings?: ModelSettings | undefined
  /** As in `ModelRequest`. */
  cacheKey?: string | undefined
}

/** A call that the provider makes, as far as it is known. */
export interface HostedCall {
  /** The same whichever event tells of the call, and each time that the events of its answer are read. */
  id: string
  /** Name of the server; for a label that is not ours, the provider's label. Empty while nobody said it. */
  server: string
  /** Empty while nobody said it. */
  tool: string
  /** JSON text, as the model wrote it; undefined while they are not known. */
  arguments: string | undefined
  /** Place in the answer: each call has its own. */
  position: number
}

/** The outcome of a call as the provider reports it. */
export type HostedOutcome =
  | { kind: 'ok'; text: string }
  | { kind: 'tool-error'; text: string }
  /** In the gateway's words, which the provider passes on. */
  | { kind: 'denied'; text: string; requestId: string | undefined }
  /** The server was answered with an HTTP status that is no success; 0: it is not said which. */
  | { kind: 'http'; status: number; text: string }
  /** The connection broke. */
  | { kind: 'lost' }
  | { kind: 'no-result' }

export type EndedCall = HostedCall & { outcome: HostedOutcome }

/** A whole answer. */
export interface HostedAnswer {
  /** In the order of the answer. */
  calls: readonly EndedCall[]
  /** Servers whose tools the provider looked at; `error`: it could not. */
  listed: readonly { server: string; error: string | null }[]
  /** The tool for which the provider asks for approval, although it was told to ask for none. */
  approvalFor: string | undefined
  /** How often the provider compacted what was said and read, as it says. */
  compacted?: number
  /** It says that it leaves out the beginning of what does not fit, and does not say whether it did. */
  mayLeaveOut?: boolean
  /** What the model said. Throws a `Failure` when the answer failed. */
  turn(): ModelTurn
}

export type HostedEvent =
  /** The first one: the provider answered. Its id of the HTTP request. `isLimited`: it was told how many calls it may make, and may keep to that without a word. */
  | { kind: 'opened'; requestId: string | null; isLimited: boolean }
  /** What the answer used so far. */
  | { kind: 'used'; usage: Usage }
  /** `background`: whether the answer goes on without us, where the provider says so. */
  | { kind: 'started'; responseId: string; background: boolean | undefined }
  /** The call was announced, or runs: what is known of it now. */
  | { kind: 'call'; call: HostedCall }
  /** Its arguments came, and it was not announced yet. It is no call when the answer is whole without it. */
  | { kind: 'spoken'; call: HostedCall }
  | { kind: 'ended'; call: EndedCall }
  /** The last one. */
  | { kind: 'answer'; answer: HostedAnswer }

/** What an error of the provider says about where the answer stands. */
export type HostedError =
  /** The request failed as a whole, since the tools of a server could not be listed. */
  | { kind: 'listing'; server: string; status: number | undefined }
  /** There was no connection, or the provider said no before anything ran. */
  | { kind: 'never-began' }
  /** The provider does not know the answer any more. */
  | { kind: 'gone' }
  /** The provider says itself that the answer failed. */
  | { kind: 'said' }
  /** The provider says itself that it made as many calls as it was allowed, and not the next one. */
  | { kind: 'limit' }
  | { kind: 'other' }

/** A provider that calls MCP servers itself. What goes wrong is thrown as it comes: its meaning depends on what may have run. */
export interface HostedModel {
  model: string
  /** Background mode is asked for: the provider is to go on without us, so that an answer can be attached to again. */
  background: boolean
  /** `asked` is counted up as it goes. */
  ask(request: HostedRequest, signal: AbortSignal, asked?: Asked): Promise<AsyncIterable<HostedEvent>>
  /** The events of a background answer from its beginning, and then as they come; of a provider that does not stream it, what is new each time that it is asked. `servers`: those that it was asked with. */
  attach(
    responseId: string,
    servers: readonly Pick<HostedTarget, 'name' | 'tools'>[],
    signal: AbortSignal,
    asked?: Asked,
  ): Promise<AsyncIterable<HostedEvent>>
  /** Ends a background answer. Returns what is known of it then. */
  cancel(responseId: string, servers: readonly Pick<HostedTarget, 'name' | 'tools'>[]): Promise<AsyncIterable<HostedEvent>>
  classifyError(error: unknown, servers: readonly string[]): HostedError
  /** Names a failure that is not about tools. */
  nameFailure(error: unknown): unknown
}
