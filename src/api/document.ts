// The document of the API: what stands in it beside the routes, which say what they are themselves.
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { ApiEnv } from './context.ts'
import { HEALTH_PATHS } from './schemas/health.ts'
import { WEBHOOKS } from './schemas/webhooks.ts'

const ABOUT = `Ask for runs of jobs, see them, retry them. Callers are known by Pomerium's identity assertion or by an API token (Authorization: Bearer nsk_…).
Errors are problems (RFC 9457) with a code of docs/failures.md, what happened, and what to do. Each answer has an X-Request-Id, taken from the request or made; the log names it.
An address that takes other methods answers 405 with Allow. What Nightshift posts to others (webhooks) is signed as Standard Webhooks says.`

const TAGS = [
  { name: 'runs', description: 'Runs of jobs: asked for, watched, cancelled, retried.' },
  { name: 'jobs', description: 'The jobs that may be asked for.' },
  { name: 'schedules', description: 'When jobs run by themselves, and their pauses.' },
  { name: 'acts', description: 'Who changed what.' },
  { name: 'service', description: 'How Nightshift itself stands.' },
  { name: 'health', description: 'For whoever watches the process. Open to whoever reaches the port.' },
  { name: 'webhooks', description: 'What Nightshift posts to the receivers of its configuration.' },
]

/** `/openapi.json`, for anybody. */
export function addDocument(api: OpenAPIHono<ApiEnv>): void {
  const registry = api.openAPIRegistry
  registry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API token: nsk_ and what nightshift api-token printed behind it.',
  })
  registry.registerComponent('securitySchemes', 'pomerium', {
    type: 'apiKey',
    in: 'header',
    name: 'x-pomerium-jwt-assertion',
    description: 'The identity assertion that Pomerium adds to a request.',
  })
  for (const path of HEALTH_PATHS) registry.registerPath(path)
  for (const webhook of WEBHOOKS) registry.registerWebhook(webhook)
  api.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Nightshift',
      version: '1',
      description: ABOUT,
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      contact: { name: 'Whoever runs this Nightshift' },
    },
    servers: [{ url: '/', description: 'Where this document comes from.' }],
    tags: TAGS,
    security: [{ token: [] }, { pomerium: [] }],
  })
}
