import { createRoute, z } from '@hono/zod-openapi'
import { Failure } from '../../core/failure.ts'
import { visibleJobs } from '../../http/authorize.ts'
import { waitForRun } from '../../runs/follow/follow.ts'
import { listRuns } from '../../runs/queries.ts'
import { requireRun, requireStatus } from '../../runs/lookup.ts'
import type { AddRoutes } from '../context.ts'
import { answerHeaders, cursorAfter, idParam, json, problemsOf } from '../schemas/common.ts'
import { filterTimesOf, runQuerySchema, waitSchema } from '../schemas/run-requests.ts'
import { describeRun, runLineSchema, runSchema } from '../schemas/runs.ts'

const tags = ['runs']

const list = createRoute({
  method: 'get',
  path: '/v1/runs',
  operationId: 'listRuns',
  summary: 'List runs, newest first',
  description:
    'Those that the caller may see and that all conditions of the query hold for. A page goes on where the one before ended, whatever came meanwhile.',
  tags,
  request: { query: runQuerySchema },
  responses: {
    200: json(z.object({ runs: z.array(runLineSchema), nextCursor: z.string().nullable() }), 'A page of runs.'),
    ...problemsOf(),
  },
})

const show = createRoute({
  method: 'get',
  path: '/v1/runs/{id}',
  operationId: 'getRun',
  summary: 'Show a run',
  description:
    'All that is known of it: what was asked, each attempt, turn and call, with what Pomerium decided. With wait, once it is over.',
  tags,
  request: { params: idParam, query: waitSchema },
  responses: { 200: json(runSchema, 'The run.'), ...problemsOf('RUN_UNKNOWN', 'STREAMS_FULL') },
})

const output = createRoute({
  method: 'get',
  path: '/v1/runs/{id}/output',
  operationId: 'getRunOutput',
  summary: 'The output of a run alone',
  description: 'As the model gave it and the schema took it. A run without one is OUTPUT_MISSING.',
  tags,
  request: { params: idParam },
  responses: {
    200: {
      description: 'JSON when the job has an output schema, else text.',
      headers: answerHeaders,
      content: { 'application/json': { schema: z.unknown() }, 'text/markdown': { schema: z.string() } },
    },
    ...problemsOf('RUN_UNKNOWN', 'OUTPUT_MISSING'),
  },
})

/** Routes that show runs. */
export const addRuns: AddRoutes = (app, { db, states, openAnswers, ending }) => {
  app.openapi(list, async (c) => {
    const { limit, cursor, since, until, endedSince, endedUntil, tag, ...filter } = c.req.valid('query')
    const runs = await listRuns(
      db,
      { ...filter, ...filterTimesOf({ since, until, endedSince, endedUntil }), tags: tag, jobs: visibleJobs(c.get('caller')) },
      { limit, before: cursor },
    )
    const ids = runs.map(({ id }) => id)
    return c.json({ runs, nextCursor: cursorAfter(ids, limit) }, 200)
  })

  app.openapi(show, async (c) => {
    const { id } = c.req.valid('param')
    const waitMs = c.req.valid('query').wait * 1000
    const caller = c.get('caller')
    const visible = visibleJobs(caller)
    if (waitMs > 0) {
      await requireStatus(db, id, visible)
      const leave = openAnswers.take(caller)
      await waitForRun(states, id, { waitMs, signal: AbortSignal.any([c.req.raw.signal, ending]) }).finally(leave)
    }
    return c.json(describeRun(await requireRun(db, id, visible)), 200)
  })

  app.openapi(output, async (c) => {
    const run = await requireRun(db, c.req.valid('param').id, visibleJobs(c.get('caller')))
    if (run.output !== null) return c.body(JSON.stringify(run.output), 200, { 'content-type': 'application/json' })
    if (run.outputText === null) throw new Failure({ code: 'OUTPUT_MISSING', message: `Run ${run.id} has no output.` })
    return c.body(run.outputText, 200, {
      'content-type': 'text/markdown; charset=utf-8',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
    })
  })
}
