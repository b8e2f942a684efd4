// Which routes a process serves: health and metrics in each, the API where it is asked for it.
import { Hono } from 'hono'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import type { Logger } from 'pino'
import { createApi } from '../api/api.ts'
import type { ApiContext } from '../api/context.ts'
import { addHealth, type Health } from '../http/health.ts'
import { createAuthenticate, type IdentityOptions } from '../http/identity.ts'
import { answerNotFound } from '../http/not-found.ts'
import { answerProblem } from '../http/problem.ts'
import { checkAddress, finishAnswer, refuseCrossSite } from '../http/request.ts'
import type { Metrics } from '../telemetry/metrics.ts'

export interface HealthRoutesOptions {
  checks: Health['checks']
  duties: Health['duties']
  skewMs: Health['skewMs']
  metrics: Pick<Metrics, 'render'>
  log: Logger
}

/** Health and metrics alone. */
export function createHealthRoutes({ checks, duties, skewMs, metrics, log }: HealthRoutesOptions, ending: AbortSignal): Hono {
  const app = new Hono()
  app.onError(answerProblem(log))
  app.notFound(answerNotFound(app))
  app.use('*', requestId(), finishAnswer(ending), secureHeaders(), checkAddress)
  addHealth(app, { checks, duties, skewMs, isDraining: () => ending.aborted })
  app.get('/metrics', async (c) => {
    const { contentType, text } = await metrics.render()
    return c.body(text, 200, { 'content-type': contentType })
  })
  return app
}

export interface ApiRoutesOptions extends HealthRoutesOptions {
  identity: IdentityOptions
  api: Omit<ApiContext, 'ending' | 'log'>
}

/** Health, metrics and the API. */
export function createApiRoutes({ identity, api, ...health }: ApiRoutesOptions, ending: AbortSignal): Hono {
  const authenticate = createAuthenticate(identity)
  const app = createHealthRoutes(health, ending)
  app.use(
    '*',
    refuseCrossSite(() => identity.pomerium()?.audience),
  )
  app.route('/', createApi({ ...api, log: health.log, ending }, authenticate))
  return app
}
