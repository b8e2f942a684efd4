import { APIConnectionError, APIError, APIUserAbortError } from 'openai'
import { Failure, messageOf, redactFailure } from '../../core/failure.ts'
import type { FailureCode } from '../../core/failure-codes.ts'
import { NotRun } from '../../core/ports/gateway.ts'
import { isNeverConnected } from '../../lib/net/connection-error.ts'
import { BodyTooLarge } from '../../lib/net/http.ts'
import { showLine } from '../../lib/text.ts'
import type { ModelSettings, Tier } from '../../core/models/settings.ts'
import { PAGE_TYPE, WebPage } from './body.ts'
import { codeOf } from './code.ts'
import { waitOf } from './wait.ts'

/** Statuses of 4xx that say that time was over, or that somebody else was faster: a model may have been at work. */
const MAYBE_DONE = new Set([408, 409, 499])
/** Too busy to begin. */
const BUSY = new Set([503, 529])

/** A failure of ours before a request was sent, such as a key that cannot be read: the client wraps it. */
export const unsentIn = (error: unknown): Failure | undefined => (error instanceof Failure ? undefined : causeOf(error, Failure))

/** True when no model can have been at work on the request, so that it cost nothing: it was not sent, the provider refused it, or no connection stood. */
export function provesNoWork(error: unknown): boolean {
  if (unsentIn(error)) return true
  const status: number | undefined = error instanceof APIError ? error.status : undefined
  return status === undefined ? isNeverConnected(error) : isRefusal(status)
}

/** True of the status of an answer that says that no model was at work. */
export const isRefusal = (status: number): boolean => (status >= 400 && status < 500 && !MAYBE_DONE.has(status)) || BUSY.has(status)

/** Settings of a job that a provider refused, by its error. */
const settings = new WeakMap<object, keyof ModelSettings>()

/** The error refuses what the author of a job set. */
export function noteSetting(error: unknown, setting: keyof ModelSettings): void {
  if (typeof error === 'object' && error !== null) settings.set(error, setting)
}

/** That no key was sent, where that is so: what is not set, and what to do. */
export interface MissingKey {
  fault: string
  cure: string
}

/** Classifies an error of the provider; its cause is a `NotRun` where no model was at work. Secrets are redacted, also keys that are not ours: providers repeat them in their messages. */
export function modelFailure(
  error: unknown,
  what: {
    provider: string
    model: string
    redact: (text: string) => string
    tier?: Tier | undefined
    missingKey?: (() => MissingKey | undefined) | undefined
    /** What to do about a key that is not accepted. */
    keyCure?: string | undefined
    /** The address is that of a service that wants a key of everybody: some cut the connection of who has none. */
    wantsKey?: boolean
  },
): unknown {
  if (error instanceof APIUserAbortError) return error
  if (error instanceof Failure) return new Failure({ ...redactFailure(error.toJSON(), what.redact), cause: error.cause })
  const unsent = unsentIn(error)
  // Keys are changed while we run: the next look may find another one.
  if (unsent) return new Failure({ ...redactFailure(unsent.toJSON(), what.redact), retry: 'later', cause: new NotRun(unsent.message) })
  const text = hide(messageOf(error), what.redact)
  const about = `${what.provider}, model ${what.model}`
  const make = (code: FailureCode, requestId?: string | null, waitMs?: number) =>
    new Failure({
      code,
      ...(code === 'MODEL_AUTH' && what.keyCure !== undefined && { cure: what.keyCure }),
      message: `${about}: ${text}.`,
      requestId: requestId ? what.redact(requestId) : undefined,
      retryAfterMs: waitMs,
      cause: provesNoWork(error) ? new NotRun(text) : new Error(text),
    })
  const tooLarge = causeOf(error, BodyTooLarge)
  if (tooLarge)
    return new Failure({
      code: 'RESULT_TOO_LARGE',
      message: `${about}: ${tooLarge.message}.`,
      cure: `See what the provider sends; where that much is right, raise providers.${what.provider}.maxResponseBytes.`,
    })
  const page = causeOf(error, WebPage) ?? pageIn(error)
  if (page)
    return new Failure({
      code: 'MODEL_UNAVAILABLE',
      message: `${about}: ${page.message}.`,
      cure: `Set providers.${what.provider}.baseUrl to the address of the API itself, which often ends with /v1; see whether a sign-in or a proxy stands before it.`,
      cause: provesNoWork(error) ? new NotRun(page.message) : new Error(page.message),
    })
  const withoutKey = (failure: Failure) => {
    const missing = what.missingKey?.()
    if (!missing) return failure
    const cure = failure.code === 'MODEL_AUTH' ? missing.cure : `${missing.cure} ${failure.cure}`
    return new Failure({
      ...failure.toJSON(),
      message: `${failure.message} No key was sent: ${missing.fault}.`,
      cure,
      cause: failure.cause,
    })
  }
  if (error instanceof APIConnectionError || !(error instanceof APIError))
    return what.wantsKey === true ? withoutKey(make('MODEL_UNAVAILABLE')) : make('MODEL_UNAVAILABLE')
  const code = codeOf(error, what.tier)
  if (code === 'MODEL_AUTH') return withoutKey(make(code, error.requestID))
  const setting = settings.get(error)
  if (setting && code === 'MODEL_REJECTED')
    return new Failure({
      ...make(code, error.requestID).toJSON(),
      cure: `Take model.${setting} out of the job or change it, or name a model that takes it.`,
      cause: new NotRun(text),
    })
  return make(code, error.requestID, waitOf(error.headers, { isRate: CAN_NAME_A_WAIT.includes(code), text }))
}

/** Failures that a provider may say the end of, in words or in headers that it sends with each answer. */
const CAN_NAME_A_WAIT: readonly FailureCode[] = ['MODEL_RATE_LIMITED', 'MODEL_NO_ROOM']

/** Where a page or a redirect stands instead of what was asked for: the address is not that of the API. */
function pageIn(error: unknown): WebPage | undefined {
  if (!(error instanceof APIError) || error.status === undefined) return undefined
  const { status, type }: { status: number; type: string | undefined } = error
  if (status >= 300 && status < 400) return new WebPage('a redirect')
  return type === PAGE_TYPE && (status === 404 || status === 405) ? new WebPage('a web page') : undefined
}

/** The error itself or one of its causes, of that kind. */
function causeOf<T extends Error>(error: unknown, kind: abstract new (...args: never[]) => T): T | undefined {
  for (let one: unknown = error; one instanceof Error; one = one.cause) if (one instanceof kind) return one
  return undefined
}

/** A key that is not ours, by its prefix, or after a word for one: there it has a digit, or is longer than words are. */
const FOREIGN_KEY =
  /\b(?:(?:sk|pk|key)-[\w*.-]{6,}|(?:sk|pk)_[\w*.-]{6,}|(?:key|Bearer)[_ ](?=[A-Za-z_.-]{0,15}[\d*]|[\w.-]{20})[\w*.-]{6,})/g

function hide(text: string, redact: (text: string) => string): string {
  // Redacted before it is cut: a part of a secret would not be found.
  const shown = showLine(redact(text)).slice(0, 500).replace(/\.$/, '')
  return shown.replaceAll(FOREIGN_KEY, '[key]')
}
