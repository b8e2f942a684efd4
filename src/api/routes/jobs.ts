import { createRoute, z } from '@hono/zod-openapi'
import { viewJobs } from '../../schedules/view.ts'
import type { AddRoutes } from '../context.ts'
import { json, problemsOf } from '../schemas/common.ts'
import { jobSchema } from '../schemas/jobs.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/jobs',
  operationId: 'listJobs',
  summary: 'The jobs in force, and the faults of files that are not',
  tags: ['jobs'],
  responses: { 200: json(z.object({ jobs: z.array(jobSchema), faults: z.array(z.string()) }), 'The jobs.'), ...problemsOf() },
})

/** The route that shows the jobs. */
export const addJobs: AddRoutes = (app, { db, jobs }) => {
  app.openapi(list, async (c) => c.json({ jobs: await viewJobs(db, jobs.jobs()), faults: [...jobs.issues()] }, 200))
}
