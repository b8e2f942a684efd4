import { z } from '@hono/zod-openapi'
import { STATUS_WORDS, statusesOf, type StatusWord } from '../../core/run.ts'
import { CANCELLABLE } from '../../runs/cancel.ts'
import { RETRYABLE } from '../../runs/queries.ts'
import { answerHeaders, anyJson, codeSchema, dateOf, moment, queryNumber, text, timeOrNull } from './common.ts'
import { runSchema, statusSchema } from './runs.ts'
import { tagQuerySchema, tagsSchema } from './tags.ts'

const MAX_WAIT_S = 60
const MAX_PAGE = 500
const MAX_AHEAD_MS = 366 * 86_400_000

/** The times of a filter as such. */
export const filterTimesOf = ({
  endedSince,
  endedUntil,
  ...times
}: Parameters<typeof timesOf>[0] & { endedSince?: string | undefined; endedUntil?: string | undefined }) => ({
  ...timesOf(times),
  endedSince: dateOf(endedSince),
  endedUntil: dateOf(endedUntil),
})

const filterTimes = {
  since: moment.optional().describe('Created at or after.'),
  until: moment.optional().describe('Created before.'),
  endedSince: moment.optional().describe('Ended at or after, whenever they were created.'),
  endedUntil: moment.optional().describe('Ended before.'),
}

export const timesOf = ({ since, until }: { since?: string | undefined; until?: string | undefined }) => ({
  since: dateOf(since),
  until: dateOf(until),
})

/** What is known of a run that was just asked for. */
export const ticketSchema = z.object({ id: z.string(), job: z.string(), status: statusSchema }).openapi('RunTicket')

export const cancelTicketSchema = ticketSchema
  .extend({
    mayGoOnUntil: timeOrNull.describe(
      'Until when its provider, which has no background mode, may go on whatever is done; calls that it makes then are shown on the run.',
    ),
  })
  .openapi('CancelTicket')

/** Says that a request was answered from its Idempotency-Key. */
export const REPLAYED = 'idempotent-replayed'
const ticketHeaders = answerHeaders.extend({
  location: z.string().describe('Of the run.'),
  [REPLAYED]: z.literal('true').optional().describe('The run was asked for before, with this Idempotency-Key.'),
})

export const ticketResponse = {
  description: 'Queued. Location names the run.',
  content: { 'application/json': { schema: ticketSchema } },
  headers: ticketHeaders,
}

const askedSchema = ticketSchema
  .extend({ run: runSchema.optional().describe('With wait: the run, once it is over or waits for a person.') })
  .openapi('AskedRun')
const asked = (description: string) => ({
  description,
  content: { 'application/json': { schema: askedSchema } },
  headers: ticketHeaders,
})

export const newRunResponses = {
  200: asked('With wait: the run is over, or waits for a person, and stands in run.'),
  202: asked('Queued, or under way still; from an Idempotency-Key, however the run stands by now. Location names it.'),
}

/** An Idempotency-Key. */
export const keySchema = z.string().regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')

const newRunFields = {
  input: anyJson.optional(),
  tags: tagsSchema.optional(),
  priority: z.enum(['high', 'normal', 'low']).optional().describe('Order among queued runs.'),
  startAt: moment
    .refine((at) => Date.parse(at) - Date.now() <= MAX_AHEAD_MS, 'must be within a year')
    .optional()
    .describe('Not before. Within a year.'),
  expireAt: moment.optional().describe('A run that no worker took by then fails with EXPIRED. After startAt.'),
}

interface Times {
  startAt?: string | undefined
  expireAt?: string | undefined
}
const isInOrder = ({ startAt, expireAt }: Times) =>
  startAt === undefined || expireAt === undefined || Date.parse(expireAt) > Date.parse(startAt)
const NOT_IN_ORDER = { path: ['expireAt'], message: 'must be after startAt: the run would never be started' }

export const newRunSchema = z.strictObject(newRunFields).refine(isInOrder, NOT_IN_ORDER).openapi('NewRun')

/** One of many runs that are asked for at once. */
export const batchedRunSchema = z
  .strictObject({
    job: text.max(100),
    key: keySchema.optional().describe('The Idempotency-Key of this run, as the header of a single one.'),
    ...newRunFields,
  })
  .refine(isInOrder, NOT_IN_ORDER)
  .openapi('BatchedRun')

/** What was asked, with its times as such. */
export const askedOf = <Asked extends Times>({ startAt, expireAt, ...rest }: Asked) => ({
  ...rest,
  startAt: dateOf(startAt),
  expireAt: dateOf(expireAt),
})

const definitionChoice = z
  .enum(['latest', 'pinned'])
  .default('latest')
  .describe('Go on with the job as it is now, or as it was for this run.')

const MAX_REASON = 1000
const reason = text.max(MAX_REASON).optional().describe('Why, for whoever reads the run later.')

/** What may be said with an act. */
export const actRequestSchema = z.strictObject({ reason }).openapi('ActRequest')

export const retrySchema = z
  .strictObject({
    reason,
    definition: definitionChoice,
    input: anyJson.optional().describe('Other input makes a new run, with retryOf.'),
  })
  .refine(({ input, definition }) => input === undefined || definition === 'latest', {
    path: ['definition'],
    message: 'must be left out with input: other input makes a new run, of the job as it is now',
  })
  .openapi('Retry')

/** Which runs are meant, of those that have one of these statuses. */
const filterSchema = <Words extends readonly [StatusWord, ...StatusWord[]]>(words: Words) =>
  z.strictObject({
    job: text.optional(),
    status: z
      .array(z.enum(words))
      .min(1)
      .optional()
      .describe(words.includes('notGreen') ? 'notGreen: incomplete, failed or cancelled.' : 'With one of these; without it, with any.'),
    code: codeSchema.optional(),
    requestedBy: text.optional(),
    ...filterTimes,
    tool: text.optional().describe('server.tool'),
    tags: tagsSchema.optional(),
    text: z.string().max(500).optional(),
  })

export const filterOf = ({ status, since, until, endedSince, endedUntil, ...filter }: z.output<ReturnType<typeof filterSchema>>) => ({
  ...filter,
  ...filterTimesOf({ since, until, endedSince, endedUntil }),
  status: status && statusesOf(status),
})

const dryRun = z.boolean().default(false).describe('Only count.')

export const bulkRetrySchema = z
  .strictObject({
    filter: filterSchema([...RETRYABLE, 'notGreen']).openapi('RetryFilter'),
    definition: definitionChoice,
    dryRun,
    reason,
  })
  .openapi('BulkRetry')

export const bulkCancelSchema = z
  .strictObject({ filter: filterSchema(CANCELLABLE).openapi('CancelFilter'), dryRun, reason })
  .openapi('BulkCancel')

/** Of the groups that an answer holds, most runs first. */
const MAX_GROUPS = 200

/** What a bulk request did, or would do. */
export const bulkResultSchema = z
  .object({
    count: z.int().describe('How many runs were changed, or would be.'),
    dryRun: z.boolean(),
    groups: z
      .array(
        z.object({
          job: z.string(),
          status: statusSchema,
          code: codeSchema.nullable().describe('Of the failure, or of the first reason.'),
          runs: z.int(),
        }),
      )
      .describe(`Which runs the filter meant before anything was done, most first; the first ${MAX_GROUPS} kinds.`),
  })
  .openapi('BulkResult')

export const groupsShown = <Group>(groups: readonly Group[]): Group[] => groups.slice(0, MAX_GROUPS)

const WORDS = z.array(z.enum(STATUS_WORDS)).min(1)

export const runQuerySchema = z.strictObject({
  job: text.optional(),
  status: z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat().flatMap((some) => some.split(',')))
    .pipe(WORDS)
    .transform(statusesOf)
    .optional()
    .openapi({
      type: 'array',
      items: { type: 'string', enum: [...STATUS_WORDS] },
      description: 'With one of these: named again and again, or with commas between. notGreen: incomplete, failed or cancelled.',
    }),
  code: codeSchema.optional(),
  requestedBy: text.optional(),
  ...filterTimes,
  tool: text.optional().describe('server.tool that was called'),
  tag: tagQuerySchema,
  text: z.string().max(500).optional().describe('Words of the output or of the failure.'),
  limit: queryNumber(1, MAX_PAGE).default(50),
  cursor: z
    .string()
    .regex(/^run_[0-9a-f-]{36}$/, 'is no cursor of this list')
    .optional()
    .describe('nextCursor of the page before.'),
})

export const waitSchema = z.strictObject({
  wait: queryNumber(0, MAX_WAIT_S).default(0).describe('Answer when the run is over or waits, or after so many seconds.'),
})
