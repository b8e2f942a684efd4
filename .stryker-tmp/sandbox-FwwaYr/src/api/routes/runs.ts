// @ts-nocheck
import { firstWake } from '../../core/ports/wake.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { mayRun, type Caller } from '../../core/caller.ts'
import { Failure } from '../../core/failure.ts'
import { isFinal, PRIORITIES } from '../../core/run.ts'
import type { RunView } from '../../core/view.ts'
import type { Job } from '../../jobs/load.ts'
import { createRun, createRunOnce, type RunRequest } from '../../runs/create.ts'
import { retryByFilter, retryWithInput } from '../../runs/retry.ts'
import type { RunFilter } from '../../store/runs/filter.ts'
import { hasKey } from '../../store/runs/idempotency.ts'
import { listRuns, queueDepth } from '../../store/runs/list.ts'
import { countRetryable } from '../../store/runs/retry.ts'
import { cancelRun } from '../../runs/cancel.ts'
import { loadRun, loadStatus } from '../../store/runs/show.ts'
import type { ApiContext, ApiEnv } from '../context.ts'
import {
  bulkRetrySchema, codeSchema, describeRun, filterSchema, idParam, jobParam, json, newRunSchema, problems, retrySchema, runLineSchema, runSchema, statusSchema, text, ticketSchema,
} from '../schemas.ts' // prettier-ignore

const MAX_WAIT_S = 60
const LOOK_MS = 200
const MAX_PAGE = 500
/** A queue this full is looked at again after so long. */
const RETRY_AFTER_MS = 5000
/** How long a count of the queue is believed. */
const DEPTH_MS = 250

const tags = ['runs']
const ticket = {
  description: 'Queued. Location names the run.',
  content: { 'application/json': { schema: ticketSchema } },
  headers: z.object({ location: z.string() }),
}

/** Routes that ask for runs, show them and change them. */
export function addRuns(app: OpenAPIHono<ApiEnv>, context: ApiContext): void {
  const { db, jobs, producer } = context
  const checkRoom = createRoomCheck(context)

  app.openapi(
    createRoute({
      method: 'post',
      path: '/v1/jobs/{job}/runs',
      operationId: 'createRun',
      summary: 'Ask for a run of a job',
      tags,
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
      responses: { 202: ticket, ...problems },
    }),
    async (c) => {
      const caller = c.get('caller')
      const job = jobOf(context, c.req.valid('param').job)
      allow(caller, job.name)
      const { input, priority, startAt, expireAt } = c.req.valid('json')
      const request: RunRequest = {
        trigger: { kind: 'api' },
        input,
        requestedBy: caller.name,
        priority,
        startAt: startAt === undefined ? undefined : new Date(startAt),
        expireAt: expireAt === undefined ? undefined : new Date(expireAt),
      }
      const key = c.req.valid('header')['idempotency-key']
      const owned = key === undefined ? undefined : { owner: caller.name, key }
      // A request that is sent again finds its run, however full the queue is by now.
      if (!owned || !(await hasKey(db, owned))) await checkRoom()
      const created = owned ? await createRunOnce(db, job, request, owned) : { id: await createRun(db, job, request), isNew: true }
      if (created.isNew) producer.wakeSoon([wakeOf(created.id, request)])
      const status = created.isNew ? 'queued' : ((await loadStatus(db, created.id))?.status ?? 'queued')
      c.header('location', `/v1/runs/${created.id}`)
      return c.json({ id: created.id, job: job.name, status }, 202)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/v1/runs',
      operationId: 'listRuns',
      summary: 'List runs, newest first',
      tags,
      request: {
        query: z.strictObject({
          job: text.optional(),
          status: statusSchema.optional(),
          code: codeSchema.optional(),
          requestedBy: text.optional(),
          since: z.iso.datetime({ offset: true }).optional(),
          until: z.iso.datetime({ offset: true }).optional(),
          tool: text.optional().describe('server.tool that was called'),
          text: z.string().max(500).optional().describe('Words of the output or of the failure.'),
          limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(50),
          cursor: z
            .string()
            .regex(/^run_[0-9a-f-]{36}$/, 'is no cursor of this list')
            .optional()
            .describe('nextCursor of the page before.'),
        }),
      },
      responses: {
        200: json(z.object({ runs: z.array(runLineSchema), nextCursor: z.string().nullable() }), 'A page of runs.'),
        ...problems,
      },
    }),
    async (c) => {
      const { limit, cursor, status, since, until, ...filter } = c.req.valid('query')
      const runs = await listRuns(db, { ...filter, ...timesOf({ since, until }), status: status && [status] }, { limit, before: cursor })
      return c.json({ runs, nextCursor: runs.length === limit ? (runs.at(-1)?.id ?? null) : null }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/v1/runs/{id}',
      operationId: 'getRun',
      summary: 'Show a run',
      tags,
      request: {
        params: idParam,
        query: z.strictObject({
          wait: z.coerce.number().int().min(0).max(MAX_WAIT_S).default(0).openapi({
            type: 'integer',
            minimum: 0,
            maximum: MAX_WAIT_S,
            default: 0,
            description: 'Answer when the run is over or waits, or after so many seconds.',
          }),
        }),
      },
      responses: { 200: json(runSchema, 'The run.'), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      await settled(context, id, c.req.valid('query').wait * 1000, c.req.raw.signal)
      return c.json(describeRun(await runOf(context, id)), 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/v1/runs/{id}/output',
      operationId: 'getRunOutput',
      summary: 'The output of a run alone',
      tags,
      request: { params: idParam },
      responses: {
        200: {
          description: 'JSON when the job has an output schema, else text.',
          content: { 'application/json': { schema: z.unknown() }, 'text/markdown': { schema: z.string() } },
        },
        ...problems,
      },
    }),
    async (c) => {
      const run = await runOf(context, c.req.valid('param').id)
      if (run.output !== null) return c.body(JSON.stringify(run.output), 200, { 'content-type': 'application/json' })
      if (run.outputText === null)
        throw new Failure({
          code: 'RUN_UNKNOWN',
          message: `Run ${run.id} has no output.`,
          cure: 'Wait until it is over; a run that failed has none.',
        })
      return c.body(run.outputText, 200, {
        'content-type': 'text/markdown; charset=utf-8',
        'content-disposition': 'attachment',
        'x-content-type-options': 'nosniff',
      })
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/v1/runs/{id}/cancel',
      operationId: 'cancelRun',
      summary: 'Cancel a run',
      description: 'A queued run is cancelled at once, a running one within two seconds. One that is over stays as it is.',
      tags,
      request: { params: idParam },
      responses: { 202: json(ticketSchema, 'Asked for.'), ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      const { job } = await statusOf(context, id)
      allow(c.get('caller'), job)
      const status = await cancelRun(db, id)
      return c.json({ id, job, status: status ?? 'cancelled' }, 202)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/v1/runs/{id}/retry',
      operationId: 'retryRun',
      summary: 'Let a run that is not green go on, or start again with other input',
      tags,
      request: { params: idParam, body: { content: { 'application/json': { schema: retrySchema } } } },
      responses: { 202: ticket, ...problems },
    }),
    async (c) => {
      operator(c.get('caller'))
      const { id } = c.req.valid('param')
      const { definition, input } = c.req.valid('json')
      if (input !== undefined && definition === 'pinned')
        throw new Failure({
          code: 'REQUEST_INVALID',
          message: 'Other input makes a new run, of the job as it is now.',
          cure: 'Leave definition out.',
        })
      const { job } = await statusOf(context, id)
      const parts = { db, producer, jobs: jobs.jobs() }
      let next = id
      if (input !== undefined)
        next = await retryWithInput(parts, id, { input, requestedBy: c.get('caller').name, trigger: { kind: 'api' } })
      else if ((await retryByFilter(parts, { ids: [id] }, definition)) === 0) {
        const { status } = await statusOf(context, id)
        throw new Failure({ code: 'RUN_NOT_RETRYABLE', message: `Run ${id} is ${status}.` })
      }
      c.header('location', `/v1/runs/${next}`)
      return c.json({ id: next, job, status: 'queued' as const }, 202)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/v1/runs/bulk-retry',
      operationId: 'bulkRetry',
      summary: 'Retry all runs that a filter means',
      tags,
      request: { body: { required: true, content: { 'application/json': { schema: bulkRetrySchema } } } },
      responses: { 202: json(z.object({ count: z.int(), dryRun: z.boolean() }), 'How many runs were queued, or would be.'), ...problems },
    }),
    async (c) => {
      operator(c.get('caller'))
      const { filter, definition, dryRun } = c.req.valid('json')
      const meant = filterOf(filter)
      const count = dryRun ? await countRetryable(db, meant) : await retryByFilter({ db, producer, jobs: jobs.jobs() }, meant, definition)
      return c.json({ count, dryRun }, 202)
    },
  )
}

function filterOf(filter: z.infer<typeof filterSchema>): RunFilter {
  if (Object.values(filter).every((value) => value === undefined))
    throw new Failure({
      code: 'REQUEST_INVALID',
      message: 'The filter is empty: it would mean every run.',
      cure: 'Name at least a job, a status, a code or a time.',
    })
  return { ...filter, ...timesOf(filter) }
}

const timesOf = ({ since, until }: { since?: string | undefined; until?: string | undefined }) => ({
  since: since === undefined ? undefined : new Date(since),
  until: until === undefined ? undefined : new Date(until),
})

const wakeOf = (id: string, { startAt, priority }: RunRequest) => firstWake(id, priority && PRIORITIES[priority], startAt)

function jobOf({ jobs }: ApiContext, name: string): Job {
  const job = jobs.jobs().get(name)
  if (!job) throw new Failure({ code: 'RUN_UNKNOWN', message: 'There is no such job.', cure: 'GET /v1/jobs lists them.' })
  return job
}

async function statusOf({ db }: ApiContext, id: string) {
  const run = await loadStatus(db, id)
  if (!run) throw new Failure({ code: 'RUN_UNKNOWN', message: 'There is no such run.', cure: 'GET /v1/runs lists them.' })
  return run
}

/** The run, or `RUN_UNKNOWN`. */
export async function runOf({ db }: ApiContext, id: string): Promise<RunView> {
  const run = await loadRun(db, id)
  if (!run) throw new Failure({ code: 'RUN_UNKNOWN', message: 'There is no such run.', cure: 'GET /v1/runs lists them.' })
  return run
}

function allow(caller: Caller, job: string): void {
  if (!mayRun(caller, job)) throw new Failure({ code: 'FORBIDDEN', message: `${caller.name} may not run this job.` })
}

/** Throws `FORBIDDEN` for anybody but an operator. */
export function operator(caller: Caller): void {
  if (caller.role !== 'operator') throw new Failure({ code: 'FORBIDDEN', message: `${caller.name} is no operator.` })
}

/** Waits until the run is over or waits for a person, the time is up, or nobody listens any more. */
async function settled(context: ApiContext, id: string, waitMs: number, listening: AbortSignal): Promise<void> {
  const until = Date.now() + waitMs
  for (;;) {
    const { status } = await statusOf(context, id)
    const leftMs = until - Date.now()
    if (isFinal(status) || status === 'waiting' || leftMs <= 0 || listening.aborted || context.ending.aborted) return
    await sleep(Math.min(LOOK_MS, leftMs))
  }
}

/** Throws `QUEUE_FULL` when more runs are queued than may be. */
function createRoomCheck({ db, maxQueued }: ApiContext): () => Promise<void> {
  let depth = Promise.resolve(0)
  let countedAt = Number.NEGATIVE_INFINITY
  return async () => {
    if (Date.now() - countedAt > DEPTH_MS) {
      countedAt = Date.now()
      depth = queueDepth(db)
    }
    const queued = await depth
    if (queued >= maxQueued) throw new Failure({ code: 'QUEUE_FULL', message: `${queued} runs are queued.`, retryAfterMs: RETRY_AFTER_MS })
  }
}
