import { z, type RouteConfig } from '@hono/zod-openapi'
import { answerHeaders, json, publicProblemsOf } from './common.ts'

const stateSchema = z.object({ status: z.string() })

const readySchema = z
  .object({
    status: z.enum(['ok', 'not ready', 'draining']),
    checks: z.record(z.string(), z.string()).describe('The store, the queue and the clock: ok, or what is wrong.'),
    duties: z.record(z.string(), z.enum(['ok', 'failing', 'late'])).describe('What the process does in the background.'),
  })
  .openapi('Readiness')

const shown: Pick<RouteConfig, 'method' | 'tags' | 'security'> = { method: 'get', tags: ['health'], security: [] }

/** The addresses beside the API: they are served without it too. */
export const HEALTH_PATHS: readonly RouteConfig[] = [
  {
    ...shown,
    path: '/livez',
    operationId: 'getLiveness',
    summary: 'Whether the process answers',
    description: 'Asks nothing else: a process that does not answer this is to be started again.',
    responses: { 200: json(stateSchema, 'It answers.'), ...publicProblemsOf() },
  },
  {
    ...shown,
    path: '/readyz',
    operationId: 'getReadiness',
    summary: 'Whether requests may be sent here',
    description: 'Store and queue take writes, the clock is right, and the process is not draining.',
    responses: { 200: json(readySchema, 'Ready.'), 503: json(readySchema, 'Not ready, with what is not.'), ...publicProblemsOf() },
  },
  {
    ...shown,
    path: '/metrics',
    operationId: 'getMetrics',
    summary: 'Metrics of the process and of the deployment',
    description: 'In the text format of Prometheus.',
    responses: {
      200: { description: 'The metrics.', headers: answerHeaders, content: { 'text/plain': { schema: z.string() } } },
      ...publicProblemsOf(),
    },
  },
]
