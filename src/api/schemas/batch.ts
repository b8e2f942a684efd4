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
          run: z.union([ticketSchema, z.null()]),
          replayed: z.boolean().describe('The run was asked for before, with this key.'),
          problem: z.union([problemSchema, z.null()]),
        }),
      )
      .describe('One for each run that was asked for, in their order: with the run, or with the problem why there is none.'),
    queued: z.int().describe('How many runs are new.'),
  })
  .openapi('BatchResult')

export type BatchedResult = z.output<typeof batchResultSchema>['results'][number]
