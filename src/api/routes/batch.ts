import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import pLimit from 'p-limit'
import { describeError } from '../../core/failure.ts'
import { requireRole, visibleJobs } from '../../http/authorize.ts'
import { failureOf, invalidRequest, problemOf, requestFaults } from '../../http/problem.ts'
import type { Outcome, Wanted } from '../../runs/intake.ts'
import { requireJobName } from '../../runs/lookup.ts'
import type { AddRoutes, ApiEnv } from '../context.ts'
import { changeProblemsOf, json } from '../schemas/common.ts'
import { batchResultSchema, batchSchema, entriesOf, type BatchedResult, type BatchEntry } from '../schemas/batch.ts'
import { askedOf } from '../schemas/run-requests.ts'

export const BATCH_PATH = '/v1/runs:batch'

/** Runs of a batch that are written in one go, and parts of batches that are written at a time, of all batches together: other requests have their share of the store's connections. */
const PART = 250
const AT_ONCE = 2

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

    const resultOf = (key: string | undefined, job: string, outcome: Outcome): BatchedResult => {
      if ('asked' in outcome) {
        const { id, status, replayed } = outcome.asked
        return { key: key ?? null, run: { id, job, status }, replayed, problem: null }
      }
      const failure = failureOf(outcome.error)
      if (failure.code === 'INTERNAL_ERROR')
        log.error({ requestId: c.get('requestId'), reason: describeError(outcome.error) }, 'A run of a batch could not be asked for.')
      return { key: key ?? null, run: null, replayed: false, problem: problemOf(failure) }
    }
    const results = entries.map((entry, at) => ('faults' in entry ? refused(entry, at) : undefined))
    const wanted: (Wanted & { at: number })[] = []
    for (const [at, entry] of entries.entries()) {
      if ('faults' in entry) continue
      const { job, key, ...asked } = entry.asked
      try {
        requireRole(caller, 'runner', requireJobName(jobs, job, visible))
        wanted.push({ at, job, key, request: { ...askedOf(asked), trigger: { kind: 'api' }, requestedBy: caller.name } })
      } catch (error) {
        results[at] = resultOf(key, job, { error })
      }
    }
    const askSome = (some: readonly (Wanted & { at: number })[]) =>
      limited(async () => {
        const outcomes = await intake.askAll(jobs, some)
        for (const [index, { at, key, job }] of some.entries()) results[at] = resultOf(key, job, outcomes[index] ?? { error: undefined })
      })
    // Those of one key in their order: the first is the one that counts.
    const isFirst = new Set(new Map(wanted.toReversed().map((one) => [one.key ?? one.at, one])).values())
    const [first, later] = [wanted.filter((one) => isFirst.has(one)), wanted.filter((one) => !isFirst.has(one))]
    const parts = Array.from({ length: Math.ceil(first.length / PART) }, (_, part) => first.slice(part * PART, (part + 1) * PART))
    await Promise.all(parts.map(askSome))
    for (const one of later) await askSome([one])
    const told = results.filter((result) => result !== undefined)
    return c.json({ results: told, queued: told.filter(({ run, replayed }) => run && !replayed).length }, 200)
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
