import { z } from '@hono/zod-openapi'
import { SPENT_BY, type Spending } from '../../runs/spending/spend.ts'
import { moment, text, time } from './common.ts'

const count = z.int()

const spent = z.object({
  runs: count,
  turns: count.describe('Turns of a model, and answers that were not seen to their end.'),
  inputTokens: count,
  outputTokens: count,
  costUsd: z.number().nullable().describe('In USD, as far as it is known; null: nothing of it is.'),
  unpriced: count.describe('Of the turns, those whose cost is not known: their model or tier has no price, or nobody says what they used.'),
  estimated: z.boolean().describe('Among the tokens are estimates.'),
})

const left = (what: string) =>
  z.object({ most: z.number(), spent: z.number(), left: z.number() }).nullable().describe(`${what}; null: no ceiling of it.`)

export const spendingSchema = z
  .object({
    since: time,
    until: time,
    by: z.enum(SPENT_BY),
    rows: z
      .array(
        spent.extend({
          key: z
            .string()
            .nullable()
            .describe(
              'The day (UTC), job, account, model or caller; null: of no known model, or asked for by nobody, such as by a schedule.',
            ),
        }),
      )
      .describe('Days in their order, all else by what costs most; the first 500.'),
    total: spent,
    today: z.object({
      day: z.iso.date().describe('In UTC.'),
      ceilings: z
        .array(z.object({ scope: z.enum(['account', 'job']), name: z.string(), tokens: left('Tokens'), costUsd: left('USD') }))
        .nullable()
        .describe('budgets: of the configuration, of the jobs that the caller may see; of accounts for who may see all.'),
    }),
  })
  .openapi('Spending')

/** The schema says the same as the type. */
export const describeSpending = (spending: Spending): Spending extends z.input<typeof spendingSchema> ? Spending : never => spending

export const spendQuerySchema = z.strictObject({
  by: z.enum(SPENT_BY).default('day'),
  job: text.max(100).optional(),
  since: moment.optional().describe('Of turns that were asked for at or after. Without it, the beginning of the day (UTC) six days ago.'),
  until: moment.optional().describe('And before. Without it, now.'),
})
