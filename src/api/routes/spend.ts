import { createRoute } from '@hono/zod-openapi'
import { visibleJobs } from '../../http/authorize.ts'
import { takeSpending } from '../../runs/spending/spend.ts'
import type { AddRoutes } from '../context.ts'
import { json, problemsOf } from '../schemas/common.ts'
import { timesOf } from '../schemas/run-requests.ts'
import { describeSpending, spendingSchema, spendQuerySchema } from '../schemas/spend.ts'

const show = createRoute({
  method: 'get',
  path: '/v1/spend',
  operationId: 'showSpend',
  summary: 'What runs spent, by day, job, account, model or caller, and what is left of the day’s ceilings',
  description:
    'Tokens and money of the jobs that the caller may see, over a year at most. The ceilings are those of today (UTC), as they are counted before each turn.',
  tags: ['service'],
  request: { query: spendQuerySchema },
  responses: { 200: json(spendingSchema, 'What was spent.'), ...problemsOf('FILTER_INVALID') },
})

/** The route that says what was spent. */
export const addSpend: AddRoutes = (app, { db, ceilings }) => {
  app.openapi(show, async (c) => {
    const { by, job, ...times } = c.req.valid('query')
    const visible = visibleJobs(c.get('caller'))
    const jobs = job === undefined ? visible : [job].filter((name) => visible === undefined || visible.includes(name))
    return c.json(describeSpending(await takeSpending(db, { by, ...timesOf(times), jobs }, ceilings())), 200)
  })
}
