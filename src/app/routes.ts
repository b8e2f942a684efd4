// Which routes a process serves: health and metrics in each, the API and the pages where it is asked for them.
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { Logger } from 'pino'
import { createApi } from '../api/api.ts'
import { retryParts, type ApiContext } from '../api/context.ts'
import { Failure } from '../core/failure.ts'
import { addHealth, type Health } from '../http/health.ts'
import { createAuthenticate, type IdentityOptions } from '../http/identity.ts'
import { problemResponse, reportTo, toProblem } from '../http/problem.ts'
import { createPages, type PagesOptions } from '../pages/pages.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export interface HealthRoutesOptions {
  checks: Health['checks']
  metrics: Pick<Metrics, 'render'>
  log: Logger
}

/** Health and metrics alone. */
export function createHealthRoutes({ checks, metrics, log }: HealthRoutesOptions, ending: AbortSignal): Hono {
  const app = new Hono()
  app.use('*', secureHeaders())
  addHealth(app, { checks, isDraining: () => ending.aborted })
  app.get('/metrics', async (c) => {
    const { contentType, text } = await metrics.render()
    return c.body(text, 200, { 'content-type': contentType })
  })
  app.notFound(() => problemResponse(new Failure({ code: 'ADDRESS_UNKNOWN', message: 'There is nothing at this address.' })))
  app.onError((error) => toProblem(error, reportTo(log)))
  return app
}

export interface ApiRoutesOptions extends HealthRoutesOptions {
  identity: IdentityOptions
  api: Omit<ApiContext, 'ending' | 'log'>
  queue: PagesOptions['queue']
}

/** Health, metrics, the API and the pages. */
export function createApiRoutes({ identity, api, queue, ...health }: ApiRoutesOptions, ending: AbortSignal): Hono {
  const authenticate = createAuthenticate(identity)
  const app = createHealthRoutes(health, ending)
  app.route('/', createApi({ ...api, log: health.log, ending }, authenticate))
  app.route('/', createPages({ authenticate, queue, retryParts: () => retryParts(api) }))
  return app
}
