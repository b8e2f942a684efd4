import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { HonoAdapter } from '@bull-board/hono'
import { serveStatic } from '@hono/node-server/serve-static'
import type { Queue } from 'bullmq'
import { Hono } from 'hono'
import { Failure } from '../core/failure.ts'
import { retryByFilter, type RetryParts } from '../runs/retry.ts'
import { problemResponse } from '../http/problem.ts'

/** BullMQ's queue of runs. */
export type BoardQueue = Queue<{ runId: string }, string>

const RETRY_ONE = /\/queues\/[^/]+\/([^/]+)\/retry(\/[a-z]+)?$/
const RETRY_ALL = /\/queues\/[^/]+\/retry\/failed$/

/**
 * The queue for operators to look at. SQL is the truth: a retry there queues the run again as our own retry does, and nothing else can be changed.
 */
export function createBoard({ path, queue, parts }: { path: string; queue: BoardQueue; parts: () => RetryParts }): Hono {
  const adapter = new HonoAdapter(serveStatic)
  adapter.setBasePath(path)
  createBullBoard({
    queues: [new BullMQAdapter(queue, { allowRetries: true })],
    serverAdapter: adapter,
    options: { uiConfig: { boardTitle: 'Nightshift queue' } },
  })
  const app = new Hono()
  app.use('*', async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    const one = RETRY_ONE.exec(c.req.path)
    if (one) {
      const job = await queue.getJob(decodeURIComponent(one[1] ?? ''))
      if (job) await retryByFilter(parts(), { ids: [job.data.runId] }, 'latest')
      return c.body(null, 204)
    }
    if (RETRY_ALL.test(c.req.path)) {
      const jobs = await queue.getJobs(['failed'])
      await retryByFilter(parts(), { ids: jobs.map(({ data }) => data.runId), status: ['failed'] }, 'latest')
      return c.body(null, 204)
    }
    return problemResponse(
      new Failure({
        code: 'METHOD_NOT_ALLOWED',
        message: 'The queue follows the store; only retries can be asked for here. Others are nightshift cancel, pause and resume.',
      }),
      { headers: { allow: 'GET, HEAD' } },
    )
  })
  app.route('/', adapter.registerPlugin())
  return new Hono().route(path, app)
}
