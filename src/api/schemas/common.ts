// What the schemas of several subjects share.
import { z } from '@hono/zod-openapi'
import { FAILURES, type FailureCode } from '../../core/failure.ts'
import { PROBLEM_TYPE, problemSchema } from '../../http/problem.ts'

const codes = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES)
export const codeSchema = z.enum(codes)
export const time = z.iso.datetime().describe('RFC 3339, in UTC.')
export const timeOrNull = time.nullable()
/** Text as Postgres can hold it. */
export const text = z.string().regex(/^[^\u0000]*$/, 'may hold no NUL')
export const anyJson = z.unknown().openapi({ description: 'Any JSON value.' })

/** A moment of a request. */
export const moment = z.iso.datetime({ offset: true })
export const dateOf = (given: string | undefined) => (given === undefined ? undefined : new Date(given))

export const idParam = z.object({
  id: text.max(100).openapi({ param: { name: 'id', in: 'path' } }),
})
export const jobParam = z.object({
  job: text.max(100).openapi({ param: { name: 'job', in: 'path' } }),
})

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

/** What every route may answer beside its own. */
export const problems = Object.fromEntries(
  [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503].map((status) => [
    status,
    { description: 'A problem; its code says which.', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
  ]),
)
