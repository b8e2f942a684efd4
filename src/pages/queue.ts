import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Queue } from 'bullmq'
import { Hono } from 'hono'
import type { Actor } from '../core/acts.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { within } from '../lib/time/deadline.ts'
import { retryByFilter, type RetryParts } from '../runs/retry.ts'
import { problemResponse } from '../http/problem.ts'

/** What whoever mounts the board says of each request: who acts by it. */
export interface BoardEnv {
  Bindings: { actor: Actor }
}

/** BullMQ's queue of runs. */
export type BoardQueue = Queue<{ runId: string }, string>

/** Entries that are read at a time. */
const AT_ONCE = 500
/** The board asks the queue itself, and some of what it asks has no bound of its own. */
const ANSWER_MS = 15_000

const unanswered = (why: string, cause?: unknown) =>
  new Failure({ code: 'QUEUE_UNAVAILABLE', message: `The queue did not answer: ${why}.`, cause })

/** What the queue answers, or `QUEUE_UNAVAILABLE`. */
const asked = <T>(answer: Promise<T>): Promise<T> =>
  within(
    ANSWER_MS,
    answer.catch((cause: unknown) => {
      throw unanswered(messageOf(cause), cause)
    }),
    () => unanswered(`${ANSWER_MS / 1000} seconds are over`),
  )

const RETRY_ONE = /\/queues\/[^/]+\/([^/]+)\/retry(\/[a-z]+)?$/
const RETRY_ALL = /\/queues\/[^/]+\/retry\/failed$/

const refused = (allow: string) =>
  problemResponse(
    new Failure({
      code: 'METHOD_NOT_ALLOWED',
      message: 'The queue follows the store; only retries can be asked for here. Others are nightshift cancel, pause and resume.',
    }),
    { headers: { allow } },
  )

/**
 * The queue for operators to look at. SQL is the truth: a retry there queues the run again as our own retry does, and nothing else can be changed.
 */
export function createBoard({ path, queue, parts }: { path: string; queue: BoardQueue; parts: () => RetryParts }): Hono<BoardEnv> {
  const adapter = new HonoAdapter(serveStatic)
  adapter.setBasePath(path)
  createBullBoard({
    queues: [new BullMQAdapter(queue, { allowRetries: true })],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Nightshift queue' } },
  })
  const app = new Hono<BoardEnv>()
  app.use('*', async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD')
      return within(ANSWER_MS, next(), () => unanswered(`${ANSWER_MS / 1000} seconds are over`))
    const isRetry = RETRY_ONE.test(c.req.path) || RETRY_ALL.test(c.req.path)
    if (c.req.method !== 'PUT' || !isRetry) return refused(isRetry ? 'PUT' : 'GET, HEAD')
    const one = RETRY_ONE.exec(c.req.path)
    if (one) {
      const job = await asked(queue.getJob(decodeURIComponent(one[1] ?? '')))
      if (job) await retryByFilter(parts(), { ids: [job.data.runId] }, 'latest', c.env.actor)
      return c.body(null, 204)
    }
    // Those that are there now: what fails again meanwhile is not retried once more.
    const count = await asked(queue.getFailedCount())
    for (let from = 0; from < count; from += AT_ONCE) {
      const jobs = await asked(queue.getJobs(['failed'], from, from + AT_ONCE - 1))
      await retryByFilter(parts(), { ids: jobs.map(({ data }) => data.runId), status: ['failed'] }, 'latest', c.env.actor)
    }
    return c.body(null, 204)
  })
  app.route('/', adapter.registerPlugin())
  return new Hono<BoardEnv>().route(path, app).onError((error) => {
    // Whoever mounts the board answers with a problem, as for every other route.
    throw error
  })
}
