import { createRoute, z } from '@hono/zod-openapi'
import { actorOf, logAct } from '../../http/acts.ts'
import { requireRole, visibleJobs } from '../../http/authorize.ts'
import { pickJobs, requireJob } from '../../runs/lookup.ts'
import { pauseJob, resumeJob } from '../../schedules/pause.ts'
import { heldBy, viewSchedules } from '../../schedules/view.ts'
import type { AddRoutes } from '../context.ts'
import { changeProblemsOf, cursorAfter, cursorSchema, jobParam, json, namePageSchema, problemsOf } from '../schemas/common.ts'
import { actRequestSchema } from '../schemas/run-requests.ts'
import { pauseSchema, pausedSchema, scheduleSchema } from '../schemas/jobs.ts'

const tags = ['schedules']

const list = createRoute({
  method: 'get',
  path: '/v1/schedules',
  operationId: 'listSchedules',
  summary: 'The schedules by name, with their last and next fires',
  description: 'Those of jobs that the caller may see.',
  tags,
  request: { query: namePageSchema },
  responses: {
    200: json(z.object({ schedules: z.array(scheduleSchema), nextCursor: cursorSchema }), 'A page of schedules.'),
    ...problemsOf(),
  },
})

const pause = createRoute({
  method: 'post',
  path: '/v1/schedules/{job}/pause',
  operationId: 'pauseSchedule',
  summary: 'Pause a job',
  description: 'Its schedule does not fire, and no queued run of it is started. What runs goes on.',
  tags,
  request: { params: jobParam, body: { required: true, content: { 'application/json': { schema: pauseSchema } } } },
  responses: { 200: json(pausedSchema, 'Paused.'), ...changeProblemsOf('JOB_UNKNOWN') },
})

const resume = createRoute({
  method: 'post',
  path: '/v1/schedules/{job}/resume',
  operationId: 'resumeSchedule',
  summary: 'Lift the pause of a job',
  description: 'Runs that it held start within seconds. Fires that were skipped are not made up for.',
  tags,
  request: { params: jobParam, body: { content: { 'application/json': { schema: actRequestSchema } } } },
  responses: { 200: json(pausedSchema, 'Not paused, unless everything is.'), ...changeProblemsOf('JOB_UNKNOWN') },
})

/** Routes that show schedules, and pause jobs. */
export const addSchedules: AddRoutes = (app, { db, jobs, producer, log }) => {
  const stateOf = async (job: string) => {
    const held = await heldBy(db, job)
    return { job, paused: held !== null, pause: held }
  }

  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid('query')
    const visible = pickJobs(jobs.jobs(), visibleJobs(c.get('caller')))
    const schedules = await viewSchedules(db, visible, new Date(), { limit, after: cursor })
    return c.json(
      {
        schedules,
        nextCursor: cursorAfter(
          schedules.map(({ job }) => job),
          limit,
        ),
      },
      200,
    )
  })

  app.openapi(pause, async (c) => {
    const caller = c.get('caller')
    const { name: job } = requireJob(pickJobs(jobs.jobs(), visibleJobs(caller)), c.req.valid('param').job)
    requireRole(caller, 'operator', job)
    const { reason } = c.req.valid('json')
    const by = actorOf(c, caller, 'operator', reason)
    await pauseJob(db, job, by)
    logAct(log, 'pause', by, { job })
    return c.json(await stateOf(job), 200)
  })

  app.openapi(resume, async (c) => {
    const caller = c.get('caller')
    const { name: job } = requireJob(pickJobs(jobs.jobs(), visibleJobs(caller)), c.req.valid('param').job)
    requireRole(caller, 'operator', job)
    const by = actorOf(c, caller, 'operator', c.req.valid('json').reason ?? null)
    const lifted = await resumeJob({ db, producer }, job, by)
    logAct(log, 'resume', by, { job, lifted })
    return c.json(await stateOf(job), 200)
  })
}
