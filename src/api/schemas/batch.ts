import { z } from '@hono/zod-openapi'
import { parseJson } from '../../lib/json/parse.ts'
import { problemSchema } from '../../http/problem.ts'
import { batchedRunSchema, keySchema, ticketSchema } from './run-requests.ts'

const MOST_RUNS = 1000

export const batchSchema = z
  .strictObject({ runs: z.array(batchedRunSchema).min(1).max(MOST_RUNS).describe(`At most ${MOST_RUNS}.`) })
  .openapi('Batch')

/** One of the runs of a batch, or what does not fit in it. */
export type BatchEntry = { asked: z.output<typeof batchedRunSchema> } | { faults: readonly z.core.$ZodIssue[]; key: string | null }

const entriesSchema = z.object({ runs: z.array(z.unknown()) })
const keyOf = z.object({ key: keySchema }).transform(({ key }) => key)

/** Each entry of a batch for itself, where nothing is wrong but in entries; undefined: the batch is none. */
export function entriesOf(body: string, issues: readonly z.core.$ZodIssue[]): BatchEntry[] | undefined {
  if (!issues.every(({ path }) => path.length > 1)) return undefined
  return entriesSchema.parse(parseJson(body)).runs.map((one) => {
    const { data, error } = batchedRunSchema.safeParse(one)
    return data ? { asked: data } : { faults: error?.issues ?? [], key: keyOf.safeParse(one).data ?? null }
  })
}

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
