import { createRoute, z } from '@hono/zod-openapi'
import { visibleJobs } from '../../http/authorize.ts'
import { listDeliveries } from '../../runs/queries.ts'
import { requireStatus } from '../../runs/lookup.ts'
import type { AddRoutes } from '../context.ts'
import { idParam, json, problemsOf } from '../schemas/common.ts'
import { deliverySchema, describeDelivery } from '../schemas/reports.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/runs/{id}/reports',
  operationId: 'listReports',
  summary: 'What became of the reports of a run, oldest first',
  description: 'One for each place of deliver: in the job, for each end of the run: whether it was taken, and when it is tried again.',
  tags: ['runs'],
  request: { params: idParam },
  responses: { 200: json(z.object({ reports: z.array(deliverySchema) }), 'The reports.'), ...problemsOf('RUN_UNKNOWN') },
})

/** The route that says whether reports arrived. */
export const addReports: AddRoutes = (app, { db }) => {
  app.openapi(list, async (c) => {
    const { id } = c.req.valid('param')
    await requireStatus(db, id, visibleJobs(c.get('caller')))
    return c.json({ reports: (await listDeliveries(db, id)).map(describeDelivery) }, 200)
  })
}
