import type { FailureRecord } from './failure.ts'
import type { FailureCode } from './failure-codes.ts'

export const RUN_STATUSES = ['queued', 'running', 'waiting', 'succeeded', 'incomplete', 'failed', 'cancelled'] as const
export type RunStatus = (typeof RUN_STATUSES)[number]
export type FinalStatus = Extract<RunStatus, 'succeeded' | 'incomplete' | 'failed' | 'cancelled'>

/** Statuses after which a run does not go on by itself. */
const FINAL_STATUSES: readonly RunStatus[] = ['succeeded', 'incomplete', 'failed', 'cancelled']
const NOT_GREEN: readonly RunStatus[] = ['incomplete', 'failed', 'cancelled']

/** What a filter may name: a status, or `notGreen` for those of runs that are over and did not succeed. */
export const STATUS_WORDS = [...RUN_STATUSES, 'notGreen'] as const
export type StatusWord = (typeof STATUS_WORDS)[number]

/** The statuses that the words of a filter name, each once. */
export const statusesOf = (words: readonly StatusWord[]): RunStatus[] => [
  ...new Set(words.flatMap((word): readonly RunStatus[] => (word === 'notGreen' ? NOT_GREEN : [word]))),
]

export const isFinal = (status: RunStatus): status is FinalStatus => FINAL_STATUSES.includes(status)

/** What asked for the run. */
export type Trigger = { kind: 'schedule'; fireAt: string; backfill?: boolean } | { kind: 'api' } | { kind: 'cli' }

/** Order among queued runs: a lower number goes first. */
export const PRIORITIES = { high: 1, normal: 10, low: 100 } as const
export type Priority = keyof typeof PRIORITIES

/** Why a run that has an answer is not green. */
export interface Reason {
  code: FailureCode
  message: string
  /** What to do, when it comes from a failure. */
  cure?: string
}

/** A failure that did not end the run, as a reason against green. */
export const reasonOf = ({ code, message, cure }: FailureRecord): Reason => ({ code, message, ...(cure !== undefined && { cure }) })

/** How a model ended a run by a call instead of an answer. */
export type Ending =
  | { kind: 'incomplete'; because: string; what: string; tried: string; draft?: string | undefined }
  | { kind: 'nothing-new'; why: string }

export interface Usage {
  inputTokens: number
  /** Part of inputTokens. */
  cachedTokens: number
  /** Part of inputTokens, written into the provider’s cache; undefined where it does not say. */
  cacheWriteTokens?: number
  outputTokens: number
  /** Part of outputTokens. */
  reasoningTokens: number
  /** The provider did not say, in whole or in part: input and output are an estimate by the bytes of request and answer. */
  estimated?: true
}

export const noUsage: Usage = { inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 }

export const addUsage = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  cachedTokens: a.cachedTokens + b.cachedTokens,
  ...((a.cacheWriteTokens !== undefined || b.cacheWriteTokens !== undefined) && {
    cacheWriteTokens: (a.cacheWriteTokens ?? 0) + (b.cacheWriteTokens ?? 0),
  }),
  outputTokens: a.outputTokens + b.outputTokens,
  reasoningTokens: a.reasoningTokens + b.reasoningTokens,
  ...((a.estimated || b.estimated) && { estimated: true as const }),
})

/**
 * What a model said in one turn, in words that do not depend on the provider's API. `raw` has what came beside the words, or instead of them, and is told again as it came to
 * whom it came `from` (API and provider) and to nobody else. Items that earlier versions wrote have no `from`; theirs is only of reasoning, behind the Responses API.
 */
export type TurnItem =
  | ({ type: 'message'; text: string; phase?: Phase } & Kept)
  | { type: 'refusal'; text: string }
  | ({ type: 'tool_call'; callId: string; name: string; arguments: string } & Kept)
  /** What a model may want to read again and nobody else can. */
  | { type: 'reasoning'; raw: unknown; from?: string }

/** What a turn was for beside the work itself: to sum up what was said before it, where that does not fit the window any more. */
export type TurnPurpose = 'summary'

/** Why a model that was asked for a turn did not answer then, and what followed: a wait, or the tier or model that was asked next. */
export interface TurnWait {
  at: string
  provider: string
  model: string
  code: FailureCode
  message: string
  waitMs?: number
  next?: string
}

/** Whether a message is the answer, or was said on the way to it; without one it is not said which. */
export const PHASES = ['commentary', 'final_answer'] as const
export type Phase = (typeof PHASES)[number]

interface Kept {
  raw?: unknown
  from?: string
}

/**
 * `sent`: no answer yet. `ok`: answered. `error`: the tool itself said no. `denied`: by Pomerium's policy. `refused`: by us, never sent.
 * `not_run`: the gateway or server provably did not run it. `unknown`: it may have run.
 */
export type ToolCallStatus = 'sent' | 'ok' | 'error' | 'denied' | 'refused' | 'not_run' | 'unknown'

/** What is kept beside the rows, once for its digest. */
export interface KeptContent {
  /** SHA-256 of the bytes, hexadecimal. */
  digest: string
  bytes: number
}

/** A result that is larger than what is shown of it. */
export interface KeptText extends KeptContent {
  /** All of it is kept, so that the model can read it; else it was cut at `limits.keptBytes`. */
  whole: boolean
  /** How the server itself says that there is more, as `partialSign` finds it in what is kept; null: it does not. */
  rest: PartialSign | null
}

/** A sign in a result that there is more. */
export interface PartialSign {
  /** The sign as it stands there, such as `truncated: true`. */
  said: string
  /** Where it is a count: of how many there are, and how many of them this result holds. */
  count?: { total: number; got: number } | undefined
}

/** An image that a model may be shown: `image/png`, `image/jpeg`, `image/gif` or `image/webp`, by its bytes. */
export interface KeptImage extends KeptContent {
  mediaType: string
}

/** What a tool call gives back to the model; also what is kept in its row. */
export interface ToolResult {
  text: string
  /** The text is not all of the result: it was cut, or the rest is kept beside it. */
  truncated: boolean
  /** Where more is kept than the text shows. */
  kept?: KeptText
  /** In the order of the result. */
  images?: KeptImage[]
  /** Resources that the result names but does not contain: the run may read them. */
  uris?: string[]
}

/** What the row of a call keeps of its outcome. */
export const resultOf = ({ text, truncated, kept, images, uris = [] }: ToolResult): ToolResult => ({
  text,
  truncated,
  ...(kept && { kept }),
  ...(images && { images }),
  ...(uris.length > 0 && { uris }),
})

/** The attempt that is writing. A write with a token that is not the open attempt's is refused. */
export interface AttemptRef {
  runId: string
  number: number
  token: string
}

/** What who asked for a run calls it by, such as `{ team: 'billing' }`: for finding it again, and for no decision. */
export type Tags = Readonly<Record<string, string>>

export const MAX_TAGS = 16

/** The form of a name. */
export const TAG_NAME = /^[a-zA-Z][\w.-]{0,39}$/
/** The form of a value: one line of at most so many characters. */
export const TAG_VALUE = /^[^\u0000-\u001f\u007f]{1,100}$/

/** What is wrong with a tag; undefined: nothing. */
export function tagFault(name: string, value: string): string | undefined {
  if (!TAG_NAME.test(name)) return 'a name is a letter, and at most 39 letters, digits, _ . - behind it'
  if (!TAG_VALUE.test(value) || !value.isWellFormed()) return 'a value is one line of 1 to 100 characters'
  return undefined
}

/** A tag as it is written and read: `team=billing`. Undefined where there is no `=` in it. */
export function parseTag(text: string): [name: string, value: string] | undefined {
  const at = text.indexOf('=')
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + 1)]
}
