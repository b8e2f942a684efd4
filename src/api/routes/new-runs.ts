import { createRoute, z } from '@hono/zod-openapi'
import { isFinal } from '../../core/run.ts'
import { requireRole, visibleJobs } from '../../http/authorize.ts'
import { waitForRun } from '../../runs/follow/follow.ts'
import { requireJobName, requireRun, requireStatus } from '../../runs/lookup.ts'
import type { AddRoutes } from '../context.ts'
import { jobParam, changeProblemsOf } from '../schemas/common.ts'
import { askedOf, keySchema, newRunResponses, newRunSchema, REPLAYED, waitSchema } from '../schemas/run-requests.ts'
import { describeRun } from '../schemas/runs.ts'

const create = createRoute({
  method: 'post',
  path: '/v1/jobs/{job}/runs',
  operationId: 'createRun',
  summary: 'Ask for a run of a job',
  description:
    'The run is kept before this answers, and starts when a worker is free. With wait, the answer comes once the run is over or waits for a person, with the run in it; or after so many seconds, without.',
  tags: ['runs'],
  request: {
    params: jobParam,
    query: waitSchema,
    headers: z.object({
      'idempotency-key': keySchema
        .optional()
        .describe('The same key and body give the same run for 24 hours; the same key with another body is 422.'),
    }),
    body: { content: { 'application/json': { schema: newRunSchema } } },
  },
  responses: { ...newRunResponses, ...changeProblemsOf('JOB_UNKNOWN', 'IDEMPOTENCY_MISMATCH', 'QUEUE_FULL', 'STREAMS_FULL') },
})

/** The route that asks for a run. */
export const addNewRuns: AddRoutes = (app, context) => {
  const { db, states, intake, openAnswers, ending } = context

  app.openapi(create, async (c) => {
    const caller = c.get('caller')
    const jobs = context.jobs.jobs()
    const job = requireJobName(jobs, c.req.valid('param').job, visibleJobs(caller))
    requireRole(caller, 'runner', job)
    const waitMs = c.req.valid('query').wait * 1000
    // Before anything is queued: who may not wait asked for nothing.
    const leave = waitMs > 0 ? openAnswers.take(caller) : undefined
    try {
      const { id, status, replayed } = await intake.ask(
        jobs,
        job,
        { ...askedOf(c.req.valid('json')), trigger: { kind: 'api' }, requestedBy: caller.name },
        c.req.valid('header')['idempotency-key'],
      )
      c.header('location', `/v1/runs/${id}`)
      if (replayed) c.header(REPLAYED, 'true')
      if (waitMs === 0) return c.json({ id, job, status }, 202)
      await waitForRun(states, id, { waitMs, signal: AbortSignal.any([c.req.raw.signal, ending]) })
      const { status: now } = await requireStatus(db, id)
      if (!isFinal(now) && now !== 'waiting') return c.json({ id, job, status: now }, 202)
      const run = await requireRun(db, id)
      return c.json({ id, job, status: run.status, run: describeRun(run) }, 200)
    } finally {
      leave?.()
    }
  })
}
