import type { FailureCode } from '../../core/failure-codes.ts'
import type { Tier } from '../../core/models/settings.ts'

/** What a provider says of an error, in an answer of HTTP, an event, or an answer that failed. */
export interface ProviderError {
  /** Of HTTP. */
  status?: number | undefined
  code?: unknown
  type?: unknown
  message?: unknown
}

/** Words in a code or type that say by themselves what is wrong, in the order in which they count. */
const BY_NAME: readonly (readonly [names: RegExp, code: FailureCode])[] = [
  [/context_?(?:length|window|size)|prompt_tokens_exceeded|tokens_limit_reached|request_too_large/, 'CONTEXT_FULL'],
  [
    /(?:insufficient|exceeded)_(?:user_)?(?:quota|credits?|balance|funds)|quota_exceeded|billing|credit_balance|budget_exceeded|payment_required|spend_?limit/,
    'MODEL_QUOTA',
  ],
  [
    /content_?(?:filter|policy)|responsible_?ai|moderation|policy_violation|usage_policy|data_inspection_failed|invalid_prompt|safety/,
    'MODEL_REFUSED',
  ],
  [/rate_?limit|too_?many_?requests|throttl/, 'MODEL_RATE_LIMITED'],
  [
    /(?:invalid|incorrect)_(?:api_?key|authentication)|authentication|unauthori[sz]ed|unauthenticated|permission_?(?:denied|error)|access_denied|account_deactivated/,
    'MODEL_AUTH',
  ],
  [/model_?not_?found|(?:deployment|engine)_?not_?found|model_not_supported|invalid_model/, 'MODEL_NOT_FOUND'],
]

/** Codes and types that say what HTTP says, for errors without a status. */
const GENERIC: readonly (readonly [names: RegExp, code: FailureCode])[] = [
  [/server_?error|internal|overloaded|unavailable|timeout|timed_out|api_?error|bad_gateway|not_ready/, 'MODEL_UNAVAILABLE'],
  [/not_?found/, 'MODEL_NOT_FOUND'],
  [/resource_exhausted/, 'MODEL_RATE_LIMITED'],
  [/invalid|bad_?request|unsupported|unknown_(?:parameter|field)|unprocessable|validation|failed_precondition|image/, 'MODEL_REJECTED'],
]

/** The input is longer than the model reads, in words that mean nothing else. The halves of a sentence stand in either order. */
const CONTEXT: readonly RegExp[] = [
  /context[_ -]?(?:length|window|size|limit).{0,120}(?:exceed|maximum|larger|longer|overflow|too (?:long|large|small)|\bonly\b|reached|at most|greater)/,
  /(?:exceed|maximum|larger|longer|overflow|too (?:long|large)|\bmax\b|no more than|fit).{0,120}(?:context[_ -]?(?:length|window|size|limit)|model length|prompt length|max length)/,
]
/** A field whose length a server bounds, and which is not what is said: an id, a name. */
const FIELD_TOO_LONG =
  /(?<!\b(?:content|text|output|input|instructions|arguments|prompt)(?:\[\d{1,6}\])?)['"`]:? (?:string|array|object) (?:is )?too (?:long|large)/
/** The same in words that stand elsewhere too: for what is slow, and for numbers. */
const TOO_LONG: readonly RegExp[] = [
  /\b(?:input|prompt|messages?|request|conversation)\b.{0,60}(?<!\b(?:took|takes|taking|name|id|waited|array) )\btoo (?:long|large|big)\b(?! (?:to |in |a |integer|number))/,
  /\btoo many (?:input |prompt )?tokens\b/,
  /\b(?:input|prompt|inputs)\b.{0,40}\btokens?\b.{0,80}(?:exceed|more than|greater than|larger than|longer than|less than|must be (?:≤|<=)|maximum)/,
  /exceed\w{0,3} .{0,40}\b(?:token limit|max(?:imum)? (?:length|number of tokens|context))/,
  /maximum prompt length|longer than the maximum model|reduce the length of the (?:messages|prompt|input)/,
]
/** Too much for now, where neither a code nor a status says it. */
const TOO_FAST =
  /\brate[ -]?limit|\btoo many requests\b|\b(?:tokens|requests|queries)[ -]?(?:per|a|\/)[ -]?(?:sec|min|hour|day)|\btoo many\b.{0,40}please wait|\bslow down\b|\bthrottl/
/** A request that is larger than all of what is allowed for a minute: no minute will do. */
const TOO_LARGE_FOR_RATE = /request too large|(?:input|output|messages?|prompt).{0,40}must be reduced/

const SPENT =
  /\b(?:insufficient|not enough|no|any|out of|add more|purchase|exhausted|negative) (?:\w{1,12} ){0,2}(?:credits?|quota|balance|funds)\b|\bcredits? (?:balance )?(?:is|are|has|have)\b.{0,40}(?:low|exhausted|used|expired)|exceeded your current quota|requires more credits|billing|reached (?:your|its) .{0,40}\b(?:usage|spend(?:ing)?) limits?/
/** It says after how long to come again, so that it is no quota that somebody has to raise. */
const COMES_BACK = /(?:retry|try again|please wait|reset).{0,20}\b(?:in|after)\b|per (?:second|minute|hour|day)/
const FLAGGED =
  /\bflagged\b|content[_ -]?(?:filter|management policy|polic)|usage polic|responsible ai|(?:violat|against).{0,60}\b(?:policy|policies|guidelines|terms)\b/
const NO_MODEL = /\bmodel\b.{0,120}(?:does not exist|not found|not exist|unknown)|\bno such model\b/

/** Characters of a message that are read. */
const MAX_READ = 2000
/** Where a message begins to quote what it was sent, in which any words may stand. */
const QUOTED = /['"]input['"] ?[:=] ?['"[{]|\binput_value ?=/

function wordsOf(message: unknown): string {
  if (typeof message !== 'string') return ''
  const words = message.slice(0, MAX_READ).toLowerCase()
  const quoted = words.search(QUOTED)
  return quoted === -1 ? words : words.slice(0, quoted)
}

/** A status of HTTP that stands in place of a code, as a number or its digits. */
function statusIn(code: unknown): number | undefined {
  const status = typeof code === 'number' ? code : typeof code === 'string' && /^\d{3}$/.test(code) ? Number(code) : undefined
  return status !== undefined && status >= 400 && status < 600 ? status : undefined
}

const nameIn = (value: unknown): string => (typeof value === 'string' ? value.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase() : '')

/** Of Groq: there is no room now. */
const CAPACITY_EXCEEDED = 498
/** Statuses and words with which a provider says that a tier without a promise has no room now. A rate that was passed is another thing. */
const NO_ROOM_STATUS = new Set([429, CAPACITY_EXCEEDED, 503, 529])
const NO_ROOM = /resource_?\s?unavailable|\bcapacity\b|\boverloaded|\bno room\b|\bflex\b.{0,60}\b(?:unavailable|limit)/

/**
 * What an error of a provider means: its code decides, then its words, then its status. Without any of them it may heal by itself. `tier`: in which it was asked; one may have no
 * room where another has.
 */
export function codeOf(error: ProviderError, tier?: Tier): FailureCode {
  const name = `${nameIn(error.code)} ${nameIn(error.type)}`
  const message = wordsOf(error.message)
  if (tier === 'flex' && NO_ROOM_STATUS.has(Number(error.status)) && NO_ROOM.test(`${name} ${message}`)) return 'MODEL_NO_ROOM'
  const named = BY_NAME.find(([names]) => names.test(name))?.[1]
  // The body of an error is the provider's own, where HTTP's status may be of what stands between.
  const status = statusIn(error.code) ?? error.status
  if (named === 'MODEL_RATE_LIMITED' || (named === undefined && status === 429)) return limitOf(name, message)
  if (named !== undefined) return named
  if (status === 401) return 'MODEL_AUTH'
  return byWords(name, message) ?? byStatus(status) ?? GENERIC.find(([names]) => names.test(name))?.[1] ?? 'MODEL_UNAVAILABLE'
}

/** What kind of limit it is that was passed. */
function limitOf(name: string, message: string): FailureCode {
  if (TOO_LARGE_FOR_RATE.test(message)) return 'CONTEXT_FULL'
  const isSpent = SPENT.test(message) && !COMES_BACK.test(message) && !name.includes('resource_exhausted')
  return isSpent ? 'MODEL_QUOTA' : 'MODEL_RATE_LIMITED'
}

function byWords(name: string, message: string): FailureCode | undefined {
  if (CONTEXT.some((words) => words.test(message))) return 'CONTEXT_FULL'
  if (TOO_FAST.test(message)) return limitOf(name, message)
  if (!FIELD_TOO_LONG.test(message) && TOO_LONG.some((words) => words.test(message))) return 'CONTEXT_FULL'
  if (FLAGGED.test(message)) return 'MODEL_REFUSED'
  if (SPENT.test(message)) return 'MODEL_QUOTA'
  return NO_MODEL.test(message) ? 'MODEL_NOT_FOUND' : undefined
}

/** Of HTTP; undefined for none, and for success, with which some servers tell of errors. */
function byStatus(status: number | undefined): FailureCode | undefined {
  if (status === undefined || status < 300) return undefined
  switch (status) {
    case 401:
    case 403:
      return 'MODEL_AUTH'
    case 402:
      return 'MODEL_QUOTA'
    case 404:
      return 'MODEL_NOT_FOUND'
    case 413:
      return 'CONTEXT_FULL'
    case 408:
    case 409:
    case 425:
    case CAPACITY_EXCEEDED:
    case 499:
      return 'MODEL_UNAVAILABLE'
    default:
      return status >= 500 || status < 400 ? 'MODEL_UNAVAILABLE' : 'MODEL_REJECTED'
  }
}
