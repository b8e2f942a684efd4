import { createRoute, z } from '@hono/zod-openapi'
import { visibleJobs } from '../../http/authorize.ts'
import { pickJobs } from '../../runs/require.ts'
import { viewJobs } from '../../schedules/view.ts'
import type { AddRoutes } from '../context.ts'
import { json, problemsOf } from '../schemas/common.ts'
import { jobSchema } from '../schemas/jobs.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/jobs',
  operationId: 'listJobs',
  summary: 'The jobs in force, and the faults of files that are not, for whoever sees all',
  tags: ['jobs'],
  responses: { 200: json(z.object({ jobs: z.array(jobSchema), faults: z.array(z.string()) }), 'The jobs.'), ...problemsOf() },
})

/** The route that shows the jobs. */
export const addJobs: AddRoutes = (app, { db, jobs }) => {
  app.openapi(list, async (c) => {
    const visible = visibleJobs(c.get('caller'))
    return c.json({ jobs: await viewJobs(db, pickJobs(jobs.jobs(), visible)), faults: visible ? [] : [...jobs.issues()] }, 200)
  })
}
