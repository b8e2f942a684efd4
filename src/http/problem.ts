import { HTTPException } from 'hono/http-exception'
import type { Logger } from 'pino'
import { z } from '@hono/zod-openapi'
import { describeError, describeFailure, Failure, FAILURES, messageOf, type FailureCode } from '../core/failure.ts'

/** A problem as RFC 9457 says, with our code. */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('One of the failure codes of docs/failures.md.'),
    detail: z.string().describe('What happened, and what to do.'),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')

type Problem = z.infer<typeof problemSchema>

export const PROBLEM_TYPE = 'application/problem+json'

/** A failure as the answer to a request. */
export function problemResponse(failure: Failure, errors?: Problem['errors']): Response {
  const { http, text } = FAILURES[failure.code]
  const body: Problem = {
    type: 'about:blank',
    title: text,
    status: http,
    code: failure.code,
    detail: describeFailure(failure),
    ...(errors && { errors }),
  }
  const headers = new Headers({ 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' })
  if (failure.retryAfterMs !== undefined) headers.set('retry-after', String(Math.ceil(failure.retryAfterMs / 1000)))
  // The rest of a body that is too large stays unread, so the connection cannot be used again.
  if (http === 413) headers.set('connection', 'close')
  if (http === 401) headers.set('www-authenticate', 'Bearer realm="nightshift"')
  return new Response(JSON.stringify(body), { status: http, headers })
}

const BY_STATUS: Record<number, FailureCode> = { 400: 'REQUEST_INVALID', 404: 'ADDRESS_UNKNOWN', 413: 'REQUEST_TOO_LARGE' }

/** Tells a log what a route threw that is no failure of the caller. */
export const reportTo = (log: Logger) => (error: unknown) =>
  log.error({ reason: describeError(error), stack: error instanceof Error ? error.stack : undefined }, 'A request failed.')

/** Turns anything thrown by a route into a problem. Unexpected errors are logged, and their text is not sent to the caller. */
export function toProblem(error: unknown, report: (error: unknown) => void): Response {
  if (error instanceof Failure) {
    if (error.code === 'INTERNAL_ERROR') report(error)
    return problemResponse(error)
  }
  if (error instanceof HTTPException) {
    const code = BY_STATUS[error.status]
    if (code) return problemResponse(new Failure({ code, message: `The request cannot be read: ${messageOf(error)}.` }))
  }
  report(error)
  return problemResponse(new Failure({ code: 'INTERNAL_ERROR', message: 'The request could not be done.' }))
}

/** Answers a request whose parts do not fit the schema. */
export function invalidRequest(result: { success: boolean; target: string; error?: z.ZodError }): Response | undefined {
  if (result.success || !result.error) return undefined
  const errors = result.error.issues.flatMap((issue) => {
    const field = [result.target, ...issue.path.map(String)].join('.')
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ field: `${field}.${key}`, message: 'is not a known field' }))
    return [{ field, message: issue.message }]
  })
  return problemResponse(
    new Failure({ code: 'REQUEST_INVALID', message: `${errors.map(({ field, message }) => `${field}: ${message}`).join('; ')}.` }),
    errors,
  )
}
