// @ts-nocheck
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { Failure } from '../../core/failure.ts'
import { pauseOf, viewSchedules } from '../../schedules/view.ts'
import { listPauses, pauseJob, resumeJob } from '../../store/schedules/pauses.ts'
import type { ApiContext, ApiEnv } from '../context.ts'
import { operator } from './runs.ts'
import { jobParam, jobSchema, json, problems, scheduleSchema, text } from '../schemas.ts'

const pauseSchema = z.strictObject({ reason: text.min(1).max(500) }).openapi('Pause')
const pausedSchema = z.object({ job: z.string(), paused: z.boolean() }).openapi('PauseState')

/** Routes that show jobs and schedules, and pause them. */
export function addJobs(app: OpenAPIHono<ApiEnv>, { db, jobs }: ApiContext): void {
  const check = (job: string) => {
    if (!jobs.jobs().has(job))
      throw new Failure({ code: 'RUN_UNKNOWN', message: 'There is no such job.', cure: 'GET /v1/jobs lists them.' })
  }

  app.openapi(
    createRoute({
      method: 'get',
      path: '/v1/jobs',
      operationId: 'listJobs',
      summary: 'The jobs in force, and the faults of files that are not',
      tags: ['jobs'],
      responses: { 200: json(z.object({ jobs: z.array(jobSchema), faults: z.array(z.string()) }), 'The jobs.'), ...problems },
    }),
    async (c) => {
      const pauses = await listPauses(db)
      const list = [...jobs.jobs().values()].map(({ name, version, definition: { description, schedule, account, model, input } }) => ({
        name,
        version,
        description: description ?? null,
        schedule: schedule ? { cron: schedule.cron, timezone: schedule.timezone } : null,
        account,
        model: model.name,
        input: input ?? null,
        paused: pauseOf(pauses, name),
      }))
      return c.json({ jobs: list, faults: [...jobs.issues()] }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/v1/schedules',
      operationId: 'listSchedules',
      summary: 'The schedules, with their last and next fires',
      tags: ['schedules'],
      responses: { 200: json(z.object({ schedules: z.array(scheduleSchema) }), 'The schedules.'), ...problems },
    }),
    async (c) => c.json({ schedules: await viewSchedules(db, jobs.jobs(), new Date()) }, 200),
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/v1/schedules/{job}/pause',
      operationId: 'pauseSchedule',
      summary: 'Pause a job: its schedule does not fire, and no queued run of it is started',
      tags: ['schedules'],
      request: { params: jobParam, body: { required: true, content: { 'application/json': { schema: pauseSchema } } } },
      responses: { 200: json(pausedSchema, 'Paused.'), ...problems },
    }),
    async (c) => {
      const { name } = c.get('caller')
      operator(c.get('caller'))
      const { job } = c.req.valid('param')
      check(job)
      await pauseJob(db, { job, reason: c.req.valid('json').reason, pausedBy: name })
      return c.json({ job, paused: true }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/v1/schedules/{job}/resume',
      operationId: 'resumeSchedule',
      summary: 'Lift the pause of a job; runs that it held start within seconds',
      tags: ['schedules'],
      request: { params: jobParam },
      responses: { 200: json(pausedSchema, 'Not paused.'), ...problems },
    }),
    async (c) => {
      operator(c.get('caller'))
      const { job } = c.req.valid('param')
      check(job)
      await resumeJob(db, job)
      return c.json({ job, paused: false }, 200)
    },
  )
}
