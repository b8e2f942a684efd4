import { createRoute, z } from '@hono/zod-openapi'
import { visibleJobs } from '../../http/authorize.ts'
import { listActs } from '../../runs/queries.ts'
import type { AddRoutes } from '../context.ts'
import { actQuerySchema, actSchema, describeAct } from '../schemas/acts.ts'
import { timesOf } from '../schemas/run-requests.ts'
import { cursorAfter, cursorSchema, json, problemsOf } from '../schemas/common.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/acts',
  operationId: 'listActs',
  summary: 'What people did to runs and jobs, newest first',
  description: 'Who cancelled, retried, paused, resumed or connected, from where and why. New runs say who asked for them (requestedBy).',
  tags: ['acts'],
  request: { query: actQuerySchema },
  responses: { 200: json(z.object({ acts: z.array(actSchema), nextCursor: cursorSchema }), 'A page of acts.'), ...problemsOf() },
})

/** The route that shows who did what. */
export const addActs: AddRoutes = (app, { db }) => {
  app.openapi(list, async (c) => {
    const { job, run, by, limit, cursor, ...times } = c.req.valid('query')
    const acts = await listActs(db, { job, run, by, ...timesOf(times), jobs: visibleJobs(c.get('caller')) }, { limit, before: cursor })
    const ids = acts.map(({ id }) => id)
    return c.json({ acts: acts.map(describeAct), nextCursor: cursorAfter(ids, limit) }, 200)
  })
}
