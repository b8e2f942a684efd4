// @ts-nocheck
import type { Failure, FailureRecord } from '../../core/failure.ts'
import type { ToolCallStatus } from '../../core/run.ts'
import type { HostedModel } from '../../models/openai/hosted-client.ts'
import type { DelegateOptions } from '../turn.ts'

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
  server: string
  tool: string
  repeatable: boolean
  status: ToolCallStatus
  text: string
  failure: FailureRecord | null
}

export interface HostedOptions extends DelegateOptions {
  hosted: HostedModel
  runId: string
  servers: readonly HostedServer[]
  /** The account's token and the run's id, sent by the provider with each of its requests. */
  headers: () => Record<string, string>
  resultBytes: number
  redact: (text: string) => string
  /** An answer that an earlier attempt did not see the end of. */
  open: { turn: number; responseId: string | null; background: boolean } | undefined
  /** Says by the route list whether a 401 means the token or a person's consent. */
  explain401: (server: string) => Promise<Failure>
}
