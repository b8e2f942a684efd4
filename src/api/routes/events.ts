import { createRoute, z } from '@hono/zod-openapi'
import { streamSSE, type SSEStreamingApi } from 'hono/streaming'
import { describeError } from '../../core/failure.ts'
import { visibleJobs } from '../../http/authorize.ts'
import { followRuns } from '../../runs/follow/follow.ts'
import { requireStatus } from '../../runs/lookup.ts'
import type { AddRoutes, RouteContext } from '../context.ts'
import { answerHeaders, idParam, problemsOf } from '../schemas/common.ts'

const PING_MS = 15_000

const events = z.unknown().openapi({ description: 'Each event has its place as id, a name, and data in JSON.' })

const followRun = createRoute({
  method: 'get',
  path: '/v1/runs/{id}/events',
  operationId: 'followRun',
  summary: 'Follow a run',
  description: 'Server-sent events until the run is over. Send Last-Event-ID to go on after an event.',
  tags: ['runs'],
  request: {
    params: idParam,
    headers: z.object({
      'last-event-id': z
        .string()
        .regex(/^\d{1,9}$/, 'is no id of this stream')
        .optional(),
    }),
  },
  responses: {
    200: { description: 'The events.', headers: answerHeaders, content: { 'text/event-stream': { schema: events } } },
    ...problemsOf('RUN_UNKNOWN', 'STREAMS_FULL'),
  },
})

/** The progress of a run as server-sent events. The id of an event is its place in the run's timeline, so a client that was cut off goes on from it. */
export const addEvents: AddRoutes = (app, context) => {
  app.openapi(followRun, async (c) => {
    const { id } = c.req.valid('param')
    const caller = c.get('caller')
    await requireStatus(context.db, id, visibleJobs(caller))
    const leave = context.openAnswers.take(caller)
    const after = Number(c.req.valid('header')['last-event-id'] ?? 0)
    return streamSSE(c, (stream) => tell(context, id, after, stream).finally(leave))
  })
}

/** Writes the run's events into the stream until the run is over, the process drains, or nobody listens. Never throws: a client that was cut off reconnects with its last event id. */
async function tell({ db, states, ending, log }: RouteContext, runId: string, after: number, stream: SSEStreamingApi): Promise<void> {
  try {
    let spokeAt = performance.now()
    for await (const { events: news, from } of followRuns(db, { runId, states, after, signal: ending })) {
      for (const [index, event] of news.entries()) {
        await stream.writeSSE({ id: String(from + index + 1), event: event.event, data: JSON.stringify(event) })
        spokeAt = performance.now()
      }
      if (stream.aborted || stream.closed) return
      if (performance.now() - spokeAt <= PING_MS) continue
      await stream.writeSSE({ event: 'ping', data: '' })
      spokeAt = performance.now()
    }
  } catch (error) {
    log.warn({ reason: describeError(error), runId }, 'A stream of events was cut.')
  }
}
