// @ts-nocheck
import { setTimeout as sleep } from 'node:timers/promises'
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { streamSSE } from 'hono/streaming'
import { Failure, messageOf } from '../../core/failure.ts'
import { isFinal } from '../../core/run.ts'
import { timelineOf } from '../../core/timeline.ts'
import { loadRun, loadTimelineVersion } from '../../store/runs/show.ts'
import type { ApiContext, ApiEnv } from '../context.ts'
import { runOf } from './runs.ts'
import { idParam, problems } from '../schemas.ts'

const LOOK_MS = 500
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
      await runOf(context, id)
      if (streams >= MAX_STREAMS)
        throw new Failure({ code: 'QUEUE_FULL', message: `${streams} runs are followed here already.`, retryAfterMs: PING_MS })
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
          context.log.warn({ reason: messageOf(error), runId: id }, 'A stream of events was cut.')
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
  let told = after
  let spokeAt = Date.now()
  let seen: string | undefined
  while (!isClosed() && !ending.aborted) {
    const version = await loadTimelineVersion(db, id)
    if (version !== seen) {
      // Read before the run: what changes in between is seen in the next round.
      seen = version
      const run = await loadRun(db, id)
      if (!run) return
      for (const [index, event] of timelineOf(run).entries()) {
        if (index < told) continue
        await tell(index + 1, event.event, JSON.stringify(event))
        told = index + 1
        spokeAt = Date.now()
      }
      if (isFinal(run.status)) return
    }
    if (Date.now() - spokeAt > PING_MS) {
      await ping()
      spokeAt = Date.now()
    }
    await sleep(LOOK_MS)
  }
}
