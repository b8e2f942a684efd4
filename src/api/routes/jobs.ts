import { createRoute, z } from '@hono/zod-openapi'
import { visibleJobs } from '../../http/authorize.ts'
import { pickJobs } from '../../runs/lookup.ts'
import { viewJobs } from '../../schedules/view.ts'
import type { AddRoutes } from '../context.ts'
import { cursorAfter, cursorSchema, json, namePageSchema, problemsOf } from '../schemas/common.ts'
import { jobSchema } from '../schemas/jobs.ts'

const list = createRoute({
  method: 'get',
  path: '/v1/jobs',
  operationId: 'listJobs',
  summary: 'The jobs in force by name, and the faults of files that are not, for whoever sees all',
  description: 'Those that the caller may see, as their files are now.',
  tags: ['jobs'],
  request: { query: namePageSchema },
  responses: {
    200: json(z.object({ jobs: z.array(jobSchema), faults: z.array(z.string()), nextCursor: cursorSchema }), 'A page of jobs.'),
    ...problemsOf(),
  },
})

/** The route that shows the jobs. */
export const addJobs: AddRoutes = (app, { db, jobs }) => {
  app.openapi(list, async (c) => {
    const visible = visibleJobs(c.get('caller'))
    const { limit, cursor } = c.req.valid('query')
    const page = await viewJobs(db, pickJobs(jobs.jobs(), visible), { limit, after: cursor })
    const nextCursor = cursorAfter(
      page.map(({ name }) => name),
      limit,
    )
    return c.json({ jobs: page, faults: visible ? [] : [...jobs.issues()], nextCursor }, 200)
  })
}
