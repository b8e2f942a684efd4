import { createRoute, z } from '@hono/zod-openapi'
import { requireRole, visibleJobs } from '../../http/authorize.ts'
import { createRunIntake } from '../../runs/intake.ts'
import { requireJobName } from '../../runs/require.ts'
import type { AddRoutes } from '../context.ts'
import { dateOf, jobParam, changeProblemsOf } from '../schemas/common.ts'
import { newRunSchema, ticketResponse } from '../schemas/run-requests.ts'

const create = createRoute({
  method: 'post',
  path: '/v1/jobs/{job}/runs',
  operationId: 'createRun',
  summary: 'Ask for a run of a job',
  tags: ['runs'],
  request: {
    params: jobParam,
    headers: z.object({
      'idempotency-key': z
        .string()
        .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
        .optional()
        .describe('The same key and body give the same run for 24 hours; the same key with another body is 422.'),
    }),
    body: { content: { 'application/json': { schema: newRunSchema } } },
  },
  responses: { 202: ticketResponse, ...changeProblemsOf('JOB_UNKNOWN', 'IDEMPOTENCY_MISMATCH', 'QUEUE_FULL') },
})

/** The route that asks for a run. */
export const addNewRuns: AddRoutes = (app, context) => {
  const intake = createRunIntake(context)

  app.openapi(create, async (c) => {
    const caller = c.get('caller')
    const jobs = context.jobs.jobs()
    const job = requireJobName(jobs, c.req.valid('param').job, visibleJobs(caller))
    requireRole(caller, 'runner', job)
    const { startAt, expireAt, ...asked } = c.req.valid('json')
    const { id, status } = await intake.ask(
      jobs,
      job,
      { ...asked, trigger: { kind: 'api' }, requestedBy: caller.name, startAt: dateOf(startAt), expireAt: dateOf(expireAt) },
      c.req.valid('header')['idempotency-key'],
    )
    c.header('location', `/v1/runs/${id}`)
    return c.json({ id, job, status }, 202)
  })
}
