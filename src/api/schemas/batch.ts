import { z } from '@hono/zod-openapi'
import { problemSchema } from '../../http/problem.ts'
import { batchedRunSchema, ticketSchema } from './run-requests.ts'

const MOST_RUNS = 1000

export const batchSchema = z
  .strictObject({ runs: z.array(batchedRunSchema).min(1).max(MOST_RUNS).describe(`At most ${MOST_RUNS}.`) })
  .openapi('Batch')

export const batchResultSchema = z
  .object({
    results: z
      .array(
        z.object({
          key: z.string().nullable().describe('As it was sent.'),
          run: ticketSchema.nullable().describe('The run; null: there is a problem.'),
          replayed: z.boolean().describe('The run was asked for before, with this key.'),
          problem: problemSchema.nullable().describe('Why there is no run.'),
        }),
      )
      .describe('One for each run that was asked for, in their order.'),
    queued: z.int().describe('How many runs are new.'),
  })
  .openapi('BatchResult')

export type BatchedResult = z.output<typeof batchResultSchema>['results'][number]
