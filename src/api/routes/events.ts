import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import { describeError, Failure } from '../../core/failure.ts'
import { followRuns } from '../../runs/follow.ts'
import { requireStatus } from '../../runs/require.ts'
import type { ApiContext, ApiEnv } from '../context.ts'
import { idParam, problems } from '../schemas.ts'

const PING_MS = 15_000
/** Streams at a time in this process. */
const MAX_STREAMS = 500

const events = z.unknown().openapi({ description: 'Each event has its place as id, a name, and data in JSON.' })

/** The progress of a run as server-sent events. The id of an event is its place in the run's timeline, so a client that was cut off goes on from it. */
export function addEvents(app: OpenAPIHono<ApiEnv>, context: ApiContext): void {
  let streams = 0

  app.openapi(
    createRoute({
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
      responses: { 200: { description: 'The events.', content: { 'text/event-stream': { schema: events } } }, ...problems },
    }),
    async (c) => {
      const { id } = c.req.valid('param')
      await requireStatus(context.db, id)
      if (streams >= MAX_STREAMS)
        throw new Failure({ code: 'STREAMS_FULL', message: `${streams} runs are followed here already.`, retryAfterMs: PING_MS })
      const after = Number(c.req.valid('header')['last-event-id'] ?? 0)
      streams++
      return streamSSE(c, async (stream) => {
        try {
          await follow(context, id, after, {
            tell: (number, event, data) => stream.writeSSE({ id: String(number), event, data }),
            ping: () => stream.writeSSE({ event: 'ping', data: '' }),
            isClosed: () => stream.aborted || stream.closed,
          })
        } catch (error) {
          // The client comes again with the last id that it saw.
          context.log.warn({ reason: describeError(error), runId: id }, 'A stream of events was cut.')
        } finally {
          streams--
        }
      })
    },
  )
}

interface Listener {
  tell: (number: number, event: string, data: string) => Promise<void>
  ping: () => Promise<void>
  isClosed: () => boolean
}

async function follow({ db, ending }: ApiContext, id: string, after: number, { tell, ping, isClosed }: Listener): Promise<void> {
  let spokeAt = Date.now()
  for await (const { events: news, from } of followRuns(db, { runId: id, after, signal: ending })) {
    for (const [index, event] of news.entries()) {
      await tell(from + index + 1, event.event, JSON.stringify(event))
      spokeAt = Date.now()
    }
    if (isClosed()) return
    if (Date.now() - spokeAt <= PING_MS) continue
    await ping()
    spokeAt = Date.now()
  }
}
