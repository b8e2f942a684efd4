import type { Role } from './caller.ts'

/** What a person does to runs and jobs that are there already. Asking for a new run is on the run itself (`requestedBy`). */
export const ACTS = ['cancel', 'retry', 'connect', 'pause', 'resume'] as const
export type Act = (typeof ACTS)[number]

/** By which face: the API, a page, the command line; or Nightshift by itself, for what a person did elsewhere. */
export const VIAS = ['api', 'page', 'cli', 'nightshift'] as const
export type Via = (typeof VIAS)[number]

/** Who does something, and by what request or command. Whatever changes runs for a person takes one, and writes it with the change. */
export interface Actor {
  /** The act's own id, a UUID: one request or command is one act, however many runs it changes. */
  act: string
  /** As `requestedBy` of a run. */
  name: string
  /** The role that allowed it; null at the command line, where whoever can read the configuration may do all. */
  role: Role | null
  via: Via
  /** The address of the caller, or the host of the command. */
  origin: string | null
  /** By which Pomerium's log and ours know the request; null at the command line. */
  requestId: string | null
  /** Why, in the person's own words. */
  reason: string | null
}

/** What a person did to one run. */
export interface RunActView {
  id: string
  at: string
  act: Act
  by: string
  role: Role | null
  via: Via
  origin: string | null
  requestId: string | null
  reason: string | null
  /** Conversation and attempt that the run had then; attempt 0: none yet. */
  conversation: number
  attempt: number
}

/** An act, in the list of all. */
export interface ActView extends Omit<RunActView, 'conversation' | 'attempt'> {
  /** The jobs that it was about, or whose runs it changed; `*`: all. */
  jobs: string[]
  /** What was said with it, such as the filter of the runs and the definition that they were to have. */
  detail: Readonly<Record<string, unknown>>
  /** How many runs it changed. */
  runs: number
}
