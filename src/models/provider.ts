import type { Api } from '../core/models/settings.ts'
import type { HostedModel } from './hosted.ts'
import type { Model } from './model.ts'

/** What a hosted run asks for that a provider may pass over without a word. */
export type Passed = 'background' | 'max_tool_calls' | 'metadata' | 'store'

/** What came of handing a provider a server with a token that the gateway refuses: it makes no call, and nobody is told a token. */
export type Reached =
  /** The gateway refused it, as it should: the provider was there. */
  | { kind: 'refused' }
  | { kind: 'listed' }
  /** The provider did not say that it looked. */
  | { kind: 'not-looked' }
  /** It looked, or says so, and got no answer of the gateway. */
  | { kind: 'not-reached'; said: string }
  /** It refuses the request. */
  | { kind: 'not-taken'; said: string }

export interface HostedProbe {
  passed: Passed[]
  /** What the provider does not take at all, a sentence each. */
  refused: string[]
  reached: Reached
}

/** Told once of each part of a request that a model does not take. */
export type Warn = (message: string) => void

/** A configured provider, whichever protocol it speaks. */
export interface Provider {
  api: Api
  formatWithTools: boolean
  /** It speaks an API in which a model can call MCP servers itself. */
  canHost: boolean
  runHeader: boolean
  /** `mark`: of a model beside another one of the provider in the same conversation. What it says is told again as it came to itself alone. */
  model(name: string, warn?: Warn, mark?: string): Model
  /** The same model, calling MCP servers itself. Only where `canHost`. */
  hosted(name: string, warn?: Warn): HostedModel
  /** What the model's provider passes over of a hosted request, and whether it goes to MCP servers itself. Spends a few tokens, and makes no call. */
  probeHosted(name: string, target: { server: string; url: string }, signal: AbortSignal): Promise<HostedProbe>
  /** Whether the provider lists the model; undefined when it lists none at all. Spends nothing. */
  knows(name: string, signal: AbortSignal): Promise<boolean | undefined>
  close(): Promise<void>
}
