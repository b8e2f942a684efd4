import { z } from '@hono/zod-openapi'
import { RETRYABLE } from '../../runs/queries.ts'
import { anyJson, codeSchema, dateOf, moment, text, timeOrNull } from './common.ts'
import { statusSchema } from './runs.ts'

const MAX_WAIT_S = 60
const MAX_PAGE = 500
const MAX_AHEAD_MS = 366 * 86_400_000

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

export const ticketResponse = {
  description: 'Queued. Location names the run.',
  content: { 'application/json': { schema: ticketSchema } },
  headers: z.object({ location: z.string() }),
}

export const newRunSchema = z
  .strictObject({
    input: anyJson.optional(),
    priority: z.enum(['high', 'normal', 'low']).optional().describe('Order among queued runs.'),
    startAt: moment
      .refine((at) => Date.parse(at) - Date.now() <= MAX_AHEAD_MS, 'must be within a year')
      .optional()
      .describe('Not before. Within a year.'),
    expireAt: moment.optional().describe('A run that no worker took by then fails with EXPIRED. After startAt.'),
  })
  .refine(({ startAt, expireAt }) => startAt === undefined || expireAt === undefined || Date.parse(expireAt) > Date.parse(startAt), {
    path: ['expireAt'],
    message: 'must be after startAt: the run would never be started',
  })
  .openapi('NewRun')

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

const filterSchema = z
  .strictObject({
    job: text.optional(),
    status: z.array(z.enum(RETRYABLE)).min(1).optional(),
    code: codeSchema.optional(),
    requestedBy: text.optional(),
    since: moment.optional(),
    until: moment.optional(),
    tool: text.optional().describe('server.tool'),
    text: z.string().max(500).optional(),
  })
  .openapi('RunFilter')

export const bulkRetrySchema = z
  .strictObject({ filter: filterSchema, definition: definitionChoice, dryRun: z.boolean().default(false), reason })
  .openapi('BulkRetry')

export const runQuerySchema = z.strictObject({
  job: text.optional(),
  status: statusSchema.optional(),
  code: codeSchema.optional(),
  requestedBy: text.optional(),
  since: moment.optional(),
  until: moment.optional(),
  tool: text.optional().describe('server.tool that was called'),
  text: z.string().max(500).optional().describe('Words of the output or of the failure.'),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
  cursor: z
    .string()
    .regex(/^run_[0-9a-f-]{36}$/, 'is no cursor of this list')
    .optional()
    .describe('nextCursor of the page before.'),
})

export const waitSchema = z.strictObject({
  wait: z.coerce.number().int().min(0).max(MAX_WAIT_S).default(0).openapi({
    type: 'integer',
    minimum: 0,
    maximum: MAX_WAIT_S,
    default: 0,
    description: 'Answer when the run is over or waits, or after so many seconds.',
  }),
})
