import type { Dispatcher } from 'undici'
import type { Ceiling } from '../core/rules/spending/budget.ts'
import type { Redactor } from '../lib/redact.ts'
import type { FactsOf } from '../models/catalogue/facts.ts'
import type { Provider } from '../models/provider.ts'
import type { MinterClient } from '../pomerium/minter-client.ts'
import type { TokenSource } from '../pomerium/token.ts'

/** What attempts under one configuration share. */
export interface RunResources {
  accounts: ReadonlyMap<string, TokenSource>
  /** Accounts whose runs each get an account of their own, and who makes it. */
  perRun: ReadonlySet<string>
  minter: MinterClient | undefined
  gateway: { url: string; routeHosts: readonly string[]; dispatcher: Dispatcher; maxResponseBytes: number; timeoutMs: number }
  /** Request limit of each server in bytes; others have Pomerium's default. */
  maxRequestBytes: ReadonlyMap<string, number>
  providers: ReadonlyMap<string, Provider>
  /** What the configuration has told after our contract. */
  ownContract?: string | undefined
  /** What is known of models: prices, and what they read and write. */
  factsOf: FactsOf
  /** The daily ceilings that runs of a job as an account are under. */
  ceilings: (job: string, account: string) => Ceiling[]
  toolConcurrency: number
  /** Runs a call once its server has a free slot, over all runs of this process. A server without a concurrency limit is not in it. */
  serverSlots: ReadonlyMap<string, <T>(work: () => Promise<T>) => Promise<T>>
  redactor: Redactor
  /** Calls of tools that the job does not call repeatable are not sent: the model is told so. */
  refuseWrites?: boolean
}

/** The resources of a worker, whatever the configuration is by now. */
export interface ResourceSource {
  redactor: Redactor
  /** Those in force: an attempt goes on with what it began with, which stays open until it is disposed of. */
  hold: () => { resources: RunResources } & Disposable
}

/** Resources that never change. */
export const always = (resources: RunResources): ResourceSource => ({
  redactor: resources.redactor,
  hold: () => ({ resources, [Symbol.dispose]() {} }),
})
