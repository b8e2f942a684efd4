import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import pLimit from 'p-limit'
import { describeError } from '../../core/failure.ts'
import { requireRole, visibleJobs } from '../../http/authorize.ts'
import { failureOf, invalidRequest, problemOf, requestFaults } from '../../http/problem.ts'
import { requireJobName } from '../../runs/require.ts'
import type { AddRoutes, ApiEnv } from '../context.ts'
import { changeProblemsOf, json } from '../schemas/common.ts'
import { batchResultSchema, batchSchema, entriesOf, type BatchedResult, type BatchEntry } from '../schemas/batch.ts'
import { askedOf } from '../schemas/run-requests.ts'

export const BATCH_PATH = '/v1/runs:batch'

/** Runs of batches that are written at a time, of all batches together: other requests have their share of the store's connections. */
const AT_ONCE = 4

const batch = createRoute({
  method: 'post',
  path: BATCH_PATH,
  operationId: 'createRuns',
  summary: 'Ask for many runs at once',
  description:
    'Each is taken or refused for itself, as if it were asked for alone, and has its result. Give each a key, and the same batch may be sent again when its answer was lost: what was queued is not queued twice.',
  tags: ['runs'],
  request: { body: { required: true, content: { 'application/json': { schema: batchSchema } } } },
  responses: { 200: json(batchResultSchema, 'What became of each.'), ...changeProblemsOf() },
})

type Asked = Extract<BatchEntry, { asked: unknown }>['asked']

function refused({ faults, key }: Extract<BatchEntry, { faults: unknown }>, at: number): BatchedResult {
  const { failure, errors } = requestFaults(`body.runs.${at}`, faults)
  return { key, run: null, replayed: false, problem: { ...problemOf(failure), errors } }
}

/** The route that asks for many runs. */
export const addBatch: AddRoutes = (app, context) => {
  const { intake, log } = context
  const limited = pLimit(AT_ONCE)

  async function askAll(c: Context<ApiEnv>, entries: readonly BatchEntry[]) {
    const caller = c.get('caller')
    const jobs = context.jobs.jobs()
    const visible = visibleJobs(caller)

    async function ask({ job: name, key, ...asked }: Asked): Promise<BatchedResult> {
      try {
        const job = requireJobName(jobs, name, visible)
        requireRole(caller, 'runner', job)
        const request = { ...askedOf(asked), trigger: { kind: 'api' }, requestedBy: caller.name } as const
        const { id, status, replayed } = await intake.ask(jobs, job, request, key)
        return { key: key ?? null, run: { id, job, status }, replayed, problem: null }
      } catch (error) {
        const failure = failureOf(error)
        if (failure.code === 'INTERNAL_ERROR')
          log.error({ requestId: c.get('requestId'), reason: describeError(error) }, 'A run of a batch could not be asked for.')
        return { key: key ?? null, run: null, replayed: false, problem: problemOf(failure) }
      }
    }

    // Those of one key in their order: the first is the one that counts.
    const byKey = new Map<string, Promise<BatchedResult>>()
    const results = await Promise.all(
      entries.map((entry, at) => {
        if ('faults' in entry) return Promise.resolve(refused(entry, at))
        const { asked } = entry
        const earlier = asked.key === undefined ? undefined : byKey.get(asked.key)
        const result = limited(async () => {
          await earlier
          return ask(asked)
        })
        if (asked.key !== undefined) byKey.set(asked.key, result)
        return result
      }),
    )
    return c.json({ results, queued: results.filter(({ run, replayed }) => run && !replayed).length }, 200)
  }

  const own = new OpenAPIHono<ApiEnv>({
    async defaultHook(result, c) {
      if (result.success) return undefined
      const entries = result.target === 'json' ? entriesOf(await c.req.text(), result.error.issues) : undefined
      return entries ? askAll(c, entries) : invalidRequest(result)
    },
  })
  own.openapi(batch, (c) =>
    askAll(
      c,
      c.req.valid('json').runs.map((asked) => ({ asked })),
    ),
  )
  app.route('/', own)
}
