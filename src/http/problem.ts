import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import { z } from '@hono/zod-openapi'
import { describeError, Failure, messageOf } from '../core/failure.ts'
import { FAILURES, type FailureCode } from '../core/failure-codes.ts'
import { showLine } from '../lib/text.ts'
import { originOf } from './origin.ts'

/** A problem as RFC 9457 says, with our code and the cure apart. */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('What the code means.'),
    status: z.int(),
    code: z.string().describe('One of the failure codes of docs/failures.md: one for each cure.'),
    detail: z.string().describe('What happened, with what.'),
    cure: z.string().describe('What to do.'),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')

export type Problem = z.infer<typeof problemSchema>

export const PROBLEM_TYPE = 'application/problem+json'

/** A failure as a problem. */
export function problemOf(failure: Failure): Problem {
  const { http, text } = FAILURES[failure.code]
  return { type: 'about:blank', title: text, status: http, code: failure.code, detail: failure.message, cure: failure.cure }
}

/** A failure as the answer to a request. */
export function problemResponse(
  failure: Failure,
  { errors, headers: more }: { errors?: Problem['errors']; headers?: Record<string, string> } = {},
): Response {
  const { http } = FAILURES[failure.code]
  const body: Problem = { ...problemOf(failure), ...(errors && { errors }) }
  const headers = new Headers(more)
  headers.set('content-type', PROBLEM_TYPE)
  headers.set('cache-control', 'no-store')
  if (failure.retryAfterMs !== undefined) headers.set('retry-after', String(Math.ceil(failure.retryAfterMs / 1000)))
  // What is left of a body that was too large is not read: the next request needs a connection of its own.
  if (http === 413) headers.set('connection', 'close')
  if (http === 401) headers.set('www-authenticate', 'Bearer realm="nightshift"')
  return new Response(JSON.stringify(body), { status: http, headers })
}

const BY_STATUS: Record<number, FailureCode> = { 400: 'REQUEST_INVALID', 404: 'ADDRESS_UNKNOWN', 413: 'BODY_TOO_LARGE' }
const MAX_PATH = 200

/**
 * Answers a request with the problem that a route threw. An unexpected error is logged, and its text is not sent. Refused callers are logged
 * with name and origin, so that guessing of tokens leaves a trace.
 */
export const answerProblem =
  (log: Logger) =>
  (error: unknown, c: Context): Response => {
    const failure = failureOf(error)
    const { http } = FAILURES[failure.code]
    const request = { requestId: c.get('requestId'), method: c.req.method, path: showLine(c.req.path.slice(0, MAX_PATH)) }
    if (c.req.raw.signal.aborted) log.debug({ ...request, reason: describeError(error) }, 'A client went away.')
    else if (failure.code === 'INTERNAL_ERROR')
      log.error({ ...request, reason: describeError(error), stack: error instanceof Error ? error.stack : undefined }, 'A request failed.')
    else if (http === 401 || http === 403)
      log.warn(
        { ...request, code: failure.code, by: c.get('caller')?.name, origin: originOf(c), reason: failure.message },
        'A caller was refused.',
      )
    return problemResponse(failure)
  }

/** What was thrown as a failure whose text may be sent. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  const code = error instanceof HTTPException ? BY_STATUS[error.status] : undefined
  if (code) return new Failure({ code, message: `The request cannot be read: ${messageOf(error)}.` })
  return new Failure({ code: 'INTERNAL_ERROR', message: 'The request could not be done.', cause: error })
}

/** Parts of a request as a caller knows them. */
const PARTS: Readonly<Record<string, string>> = { json: 'body', param: 'path' }
/** Faults that one problem names: an answer is not larger than what it refuses. */
const MOST_FAULTS = 20
const MAX_FIELD = 200

/** Answers a request whose parts do not fit the schema. */
export function invalidRequest(result: { success: boolean; target: string; error?: z.ZodError }): Response | undefined {
  if (result.success || !result.error) return undefined
  const { failure, errors } = requestFaults(PARTS[result.target] ?? result.target, result.error.issues)
  return problemResponse(failure, { errors })
}

/** What does not fit the schema in a part of a request, field by field: the first of them, and how many there are. */
export function requestFaults(
  part: string,
  issues: readonly z.core.$ZodIssue[],
): { failure: Failure; errors: NonNullable<Problem['errors']> } {
  const all = issues.flatMap((issue) => {
    const field = showLine([part, ...issue.path.map(String)].join('.').slice(0, MAX_FIELD))
    if (issue.code !== 'unrecognized_keys') return [{ field, message: issue.message }]
    return issue.keys.map((key) => ({ field: showLine(`${field}.${key}`.slice(0, MAX_FIELD)), message: 'is not a known field' }))
  })
  const errors = all.slice(0, MOST_FAULTS)
  const more = all.length - errors.length
  const words = errors.map(({ field, message }) => `${field}: ${message}`).join('; ')
  return { failure: new Failure({ code: 'REQUEST_INVALID', message: `${words}${more > 0 ? `; and ${more} more` : ''}.` }), errors }
}
