import { createRoute, z } from '@hono/zod-openapi'
import { actorOf, logAct } from '../../http/acts.ts'
import { requireRole, requireSome, visibleJobs } from '../../http/authorize.ts'
import { cancelByFilter, cancelRun, goesOnUntil, planCancel } from '../../runs/cancel.ts'
import { countOf } from '../../runs/queries.ts'
import { planRetry, retryByFilter, retryRun } from '../../runs/retry.ts'
import { requireStatus } from '../../runs/lookup.ts'
import { retryParts, type AddRoutes } from '../context.ts'
import { idParam, json, changeProblemsOf } from '../schemas/common.ts'
import {
  actRequestSchema,
  bulkCancelSchema,
  bulkResultSchema,
  bulkRetrySchema,
  cancelTicketSchema,
  filterOf,
  groupsShown,
  keySchema,
  REPLAYED,
  retrySchema,
  ticketResponse,
} from // prettier-ignore
'../schemas/run-requests.ts'

const tags = ['runs']

const cancel = createRoute({
  method: 'post',
  path: '/v1/runs/{id}/cancel',
  operationId: 'cancelRun',
  summary: 'Cancel a run',
  description: 'A queued run is cancelled at once, a running one within two seconds. One that is over stays as it is.',
  tags,
  request: { params: idParam, body: { content: { 'application/json': { schema: actRequestSchema } } } },
  responses: { 202: json(cancelTicketSchema, 'Asked for.'), ...changeProblemsOf('RUN_UNKNOWN') },
})

const retry = createRoute({
  method: 'post',
  path: '/v1/runs/{id}/retry',
  operationId: 'retryRun',
  summary: 'Let a run that is not green go on, or start again with other input',
  description:
    'The same run in another conversation: calls that are not repeatable are not made again. With input it is a new run, which names this one as retryOf.',
  tags,
  request: {
    params: idParam,
    headers: z.object({
      'idempotency-key': keySchema.optional().describe('With input: the same key and request give the same new run for 24 hours.'),
    }),
    body: { content: { 'application/json': { schema: retrySchema } } },
  },
  responses: {
    202: ticketResponse,
    ...changeProblemsOf('RUN_UNKNOWN', 'JOB_UNKNOWN', 'RUN_NOT_RETRYABLE', 'IDEMPOTENCY_MISMATCH', 'QUEUE_FULL'),
  },
})

const bulkRetry = createRoute({
  method: 'post',
  path: '/v1/runs/bulk-retry',
  operationId: 'bulkRetry',
  summary: 'Retry all runs that a filter means',
  description: 'Of those that the caller is operator of and that are not green. With dryRun it says how many they are.',
  tags,
  request: { body: { required: true, content: { 'application/json': { schema: bulkRetrySchema } } } },
  responses: {
    202: json(bulkResultSchema, 'How many runs were queued, or would be.'),
    ...changeProblemsOf('FILTER_INVALID'),
  },
})

const bulkCancel = createRoute({
  method: 'post',
  path: '/v1/runs/bulk-cancel',
  operationId: 'bulkCancel',
  summary: 'Cancel all runs that a filter means',
  description:
    'Of the jobs whose runner the caller is. Queued and waiting runs are over when the answer comes, running ones within two seconds. A process that stops answers with those that it cancelled: ask again for the others.',
  tags,
  request: { body: { required: true, content: { 'application/json': { schema: bulkCancelSchema } } } },
  responses: {
    202: json(bulkResultSchema, 'How many runs were cancelled, or would be.'),
    ...changeProblemsOf('FILTER_INVALID'),
  },
})

/** Routes that cancel runs and let them go on. */
export const addRunChanges: AddRoutes = (app, context) => {
  const { db, intake, log } = context

  app.openapi(cancel, async (c) => {
    const { id } = c.req.valid('param')
    const caller = c.get('caller')
    const { job } = await requireStatus(db, id, visibleJobs(caller))
    requireRole(caller, 'runner', job)
    const by = actorOf(c, caller, 'runner', c.req.valid('json').reason ?? null)
    const status = await cancelRun(db, id, by)
    logAct(log, 'cancel', by, { runId: id, status })
    return c.json({ id, job, status: status ?? 'cancelled', mayGoOnUntil: await goesOnUntil(db, id) }, 202)
  })

  app.openapi(retry, async (c) => {
    const caller = c.get('caller')
    const { id: runId } = c.req.valid('param')
    const { job } = await requireStatus(db, runId, visibleJobs(caller))
    requireRole(caller, 'operator', job)
    const { reason, definition, input } = c.req.valid('json')
    const by = actorOf(c, caller, 'operator', reason ?? null)
    const request = { input, retryOf: runId, trigger: { kind: 'api' }, requestedBy: caller.name } as const
    // Other input is another run, which is asked for as any other.
    const other =
      input === undefined ? undefined : await intake.ask(context.jobs.jobs(), job, request, c.req.valid('header')['idempotency-key'])
    if (!other) await retryRun(retryParts(context), runId, definition, by)
    const { id, status, replayed } = other ?? { id: runId, status: 'queued', replayed: false }
    if (replayed) c.header(REPLAYED, 'true')
    else logAct(log, 'retry', by, { runId, definition, newRunId: id })
    c.header('location', `/v1/runs/${id}`)
    return c.json({ id, job, status }, 202)
  })

  app.openapi(bulkRetry, async (c) => {
    const caller = c.get('caller')
    const jobs = requireSome(caller, 'operator')
    const { filter: given, definition, dryRun, reason } = c.req.valid('json')
    const filter = { ...filterOf(given), jobs }
    const planned = await planRetry(db, filter)
    const by = actorOf(c, caller, 'operator', reason ?? null)
    const count = dryRun ? countOf(planned) : await retryByFilter(retryParts(context), filter, definition, by)
    if (!dryRun) logAct(log, 'retry', by, { filter: { ...filter, text: undefined }, definition, count })
    return c.json({ count, dryRun, groups: groupsShown(planned) }, 202)
  })

  app.openapi(bulkCancel, async (c) => {
    const caller = c.get('caller')
    const jobs = requireSome(caller, 'runner')
    const { filter: given, dryRun, reason } = c.req.valid('json')
    const filter = { ...filterOf(given), jobs }
    const planned = await planCancel(db, filter)
    const by = actorOf(c, caller, 'runner', reason ?? null)
    const count = dryRun ? countOf(planned) : await cancelByFilter(db, filter, by, context.ending)
    if (!dryRun) logAct(log, 'cancel', by, { filter: { ...filter, text: undefined }, count })
    return c.json({ count, dryRun, groups: groupsShown(planned) }, 202)
  })
}
