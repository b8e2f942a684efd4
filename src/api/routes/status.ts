import { createRoute } from '@hono/zod-openapi'
import { takeStatus } from '../../doctor/status/status.ts'
import { visibleJobs } from '../../http/authorize.ts'
import type { AddRoutes } from '../context.ts'
import { json, problemsOf } from '../schemas/common.ts'
import { describeStatus, statusSchema } from '../schemas/status.ts'

const show = createRoute({
  method: 'get',
  path: '/v1/status',
  operationId: 'showStatus',
  summary: 'How things stand: pauses, workers, schedulers, runs, fires, and what somebody must look at',
  description:
    'The same as nightshift status says, by the store alone. Whoever sees some jobs alone is told of those, and of workers and schedulers in numbers.',
  tags: ['service'],
  responses: { 200: json(statusSchema, 'How things stand now.'), ...problemsOf() },
})

/** The route that shows how things stand. */
export const addStatus: AddRoutes = (app, { db, jobs, accounts, configDigest }) => {
  app.openapi(show, async (c) => {
    const seen = visibleJobs(c.get('caller'))
    const status = await takeStatus({
      db,
      jobs: [...jobs.jobs().values()],
      accounts: accounts(),
      issues: jobs.issues(),
      configDigest: configDigest(),
      seen,
    })
    return c.json(describeStatus(status), 200)
  })
}
