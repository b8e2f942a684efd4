// What the schemas of several subjects share.
import { z } from '@hono/zod-openapi'
import { FAILURES, type FailureCode } from '../../core/failure-codes.ts'
import { PROBLEM_TYPE, problemSchema } from '../../http/problem.ts'
import { isKnownTime } from '../../lib/time/foreign.ts'

const codes = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES)
export const codeSchema = z.enum(codes)
export const time = z.iso.datetime().describe('RFC 3339, in UTC.')
export const timeOrNull = time.nullable()
/** Text as Postgres can hold it. */
export const text = z.string().regex(/^[^\u0000]*$/, 'may hold no NUL')
export const anyJson = z.unknown().openapi({ description: 'Any JSON value.' })

/** A point in time in a request. */
export const moment = z.iso.datetime({ offset: true }).refine(isKnownTime, 'must be in the years 1970 to 9999, in UTC')
export const dateOf = (given: string | undefined) => (given === undefined ? undefined : new Date(given))

/** A whole number in a query, in digits alone: what is empty, has a fraction or stands twice is no number that somebody meant. */
export const queryNumber = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}, once`
  return z
    .string({ error: message })
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((given) => given >= min && given <= max, message)
    .openapi({ type: 'integer', minimum: min, maximum: max })
}

export const idParam = z.object({
  id: text.max(100).openapi({ param: { name: 'id', in: 'path' } }),
})
export const jobParam = z.object({
  job: text.max(100).openapi({ param: { name: 'job', in: 'path' } }),
})

const MAX_PAGE = 500
const DEFAULT_PAGE = 100
/** The query of a list by name. */
export const namePageSchema = z.strictObject({
  limit: queryNumber(1, MAX_PAGE).default(DEFAULT_PAGE),
  cursor: text.max(100).optional().describe('nextCursor of the page before.'),
})
export const cursorSchema = z.string().nullable().describe('The cursor of the next page; null: this is the last.')
/** The cursor that goes on after a page: its last name or id, when there may be more. */
export const cursorAfter = (names: readonly string[], limit: number): string | null =>
  names.length === limit ? (names.at(-1) ?? null) : null

/** What each answer says beside its content. */
export const answerHeaders = z.object({ 'x-request-id': z.string().describe('By which the log knows the request.') })

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  headers: answerHeaders,
  content: { 'application/json': { schema } },
})

const OF_ALL = [
  'REQUEST_INVALID', 'UNAUTHENTICATED', 'ASSERTION_INVALID', 'FORBIDDEN', 'INTERNAL_ERROR', 'GATEWAY_UNREACHABLE', 'STORE_UNAVAILABLE',
] as const satisfies FailureCode[] // prettier-ignore
const OF_CHANGES = [
  'ORIGIN_REFUSED',
  'BODY_INVALID',
  'BODY_TOO_LARGE',
  'MEDIA_UNSUPPORTED',
  'INPUT_INVALID',
] as const satisfies FailureCode[]

const retryHeaders = answerHeaders.extend({ 'retry-after': z.int().optional().describe('Seconds to wait.') })

/** The problems that a route which shows something may answer with: those of all routes, and its own. */
export const problemsOf = (...own: FailureCode[]) => responsesOf([...OF_ALL, ...own])
/** The same of one that asks nobody who they are. */
export const publicProblemsOf = () => responsesOf(['REQUEST_INVALID', 'INTERNAL_ERROR'])
/** The same of a route that changes something. */
export const changeProblemsOf = (...own: FailureCode[]) => responsesOf([...OF_ALL, ...OF_CHANGES, ...own])

/** Problems by their HTTP status, each with the codes that it may have. */
function responsesOf(given: readonly FailureCode[]) {
  const all = [...new Set(given)]
  return Object.fromEntries(
    [...new Set(all.map((code) => FAILURES[code].http))].map((status) => {
      const some = all.filter((code) => FAILURES[code].http === status)
      const mayBeRetried = some.some((code) => FAILURES[code].retry === 'later')
      return [
        status,
        {
          description: some.map((code) => FAILURES[code].text).join(' '),
          headers: mayBeRetried ? retryHeaders : answerHeaders,
          content: { [PROBLEM_TYPE]: { schema: problemSchema.extend({ code: z.enum(some) }) } },
        },
      ]
    }),
  )
}
