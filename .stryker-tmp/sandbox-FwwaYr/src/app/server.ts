// @ts-nocheck
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve, type ServerType } from '@hono/node-server'
import { OpenAPIHono } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import type { Logger } from 'pino'
import { Failure, messageOf } from '../core/failure.ts'
import type { BoardQueue } from '../queue/backend.ts'
import type { Lifecycle } from '../lib/lifecycle.ts'
import { checkBody, limitBody } from '../http/body.ts'
import type { ApiContext, ApiEnv } from '../api/context.ts'
import { addEvents } from '../api/routes/events.ts'
import { addHealth, type Health } from '../http/health.ts'
import { createAuthenticate, type Authenticate, type IdentityOptions } from '../http/identity.ts'
import { addJobs } from '../api/routes/jobs.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { invalidRequest, problemResponse, toProblem } from '../http/problem.ts'
import { addRuns, operator } from '../api/routes/runs.ts'

export interface HttpOptions {
  /** host:port; port 0 takes a free one. */
  listen: string
  identity: IdentityOptions
  /** Undefined: health and metrics alone. */
  api: Omit<ApiContext, 'ending' | 'log'> | undefined
  queue: BoardQueue
  metrics: Metrics
  checks: Health['checks']
  log: Logger
}

export interface HttpServer extends Lifecycle {
  /** Where it listens, once started. */
  url(): string
  /** From now on not ready; long answers end. What is under way goes on until `stop`. */
  drain(): void
}

const HEADERS_TIMEOUT_MS = 30_000
const CLOSE_TIMEOUT_MS = 5000
const BOARD_PATH = '/queue'

/** Serves the API, health and metrics. Refuses to start on an address that is not loopback when nobody could be told from anybody. */
export function createHttpServer(options: HttpOptions): HttpServer {
  const { hostname, port } = parseListen(options.listen)
  const hasIdentity = Object.keys(options.identity.tokens).length > 0 || options.identity.pomerium !== undefined
  if (!isLoopback(hostname) && !hasIdentity) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `api.listen is ${options.listen}, which is not loopback, and no identity is configured.`,
      cure: 'Configure api.pomerium or api.tokens, or listen on 127.0.0.1.',
    })
  }
  const ending = new AbortController()
  const app = createHttpApp(options, ending.signal)
  let server: ServerType | undefined

  return {
    url: () => {
      const address: AddressInfo | string | null | undefined = server?.address()
      return typeof address === 'object' && address ? `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${address.port}` : ''
    },
    drain: () => ending.abort(),
    async start() {
      if (server) return
      let starting: ServerType
      try {
        starting = serve({ fetch: app.fetch, hostname, port, serverOptions: { headersTimeout: HEADERS_TIMEOUT_MS } })
        await once(starting, 'listening')
      } catch (cause) {
        throw new Failure({
          code: 'CONFIG_INVALID',
          message: `Cannot listen on ${options.listen}: ${messageOf(cause)}.`,
          cure: 'Change api.listen, or end what listens there.',
          cause,
        })
      }
      server = starting
    },
    async stop() {
      ending.abort()
      const closing = server
      if (!closing) return
      server = undefined
      const closed = new Promise((done) => closing.close(done))
      const timer = setTimeout(() => 'closeAllConnections' in closing && closing.closeAllConnections(), CLOSE_TIMEOUT_MS)
      await closed
      clearTimeout(timer)
    },
  }
}

/** The routes, without a port: what `createHttpServer` serves. */
export function createHttpApp(options: HttpOptions, ending: AbortSignal): Hono {
  const { log, metrics, api } = options
  const report = (error: unknown) =>
    log.error({ reason: messageOf(error), stack: error instanceof Error ? error.stack : undefined }, 'A request failed.')
  const authenticate = createAuthenticate(options.identity)
  const app = new Hono()
  app.use('*', secureHeaders())
  addHealth(app, { checks: options.checks, isDraining: () => ending.aborted })
  app.get('/metrics', async (c) => {
    const { contentType, text } = await metrics.render()
    return c.body(text, 200, { 'content-type': contentType })
  })
  if (api) {
    app.route('/', createApi({ ...api, log, ending }, authenticate))
    const parts = () => ({ db: api.db, producer: api.producer, jobs: api.jobs.jobs() })
    let board: Promise<Hono> | undefined
    app.use(`${BOARD_PATH}/*`, async (c, next) => {
      operator(await authenticate(c.req.raw.headers))
      return next()
    })
    app.use(BOARD_PATH, async (c, next) => {
      operator(await authenticate(c.req.raw.headers))
      return next()
    })
    app.get(`${BOARD_PATH}/`, (c) => c.redirect(BOARD_PATH))
    // Its libraries are loaded when somebody looks: most processes never serve it.
    app.all(`${BOARD_PATH}/*`, async (c) => {
      board ??= import('../pages/queue.ts').then(({ createBoard }) => createBoard({ path: BOARD_PATH, queue: options.queue, parts }))
      return (await board).fetch(c.req.raw, c.env)
    })
  }
  app.notFound(() =>
    problemResponse(
      new Failure({ code: 'RUN_UNKNOWN', message: 'There is nothing at this address.', cure: 'GET /openapi.json says what there is.' }),
    ),
  )
  app.onError((error) => toProblem(error, report))
  return app
}

const ABOUT = `Ask for runs of jobs, see them, retry them. Callers are known by Pomerium's identity assertion or by an API token (Authorization: Bearer nsk_…).
Errors are problems (RFC 9457) with a code of the README's table.`

function createApi(context: ApiContext, authenticate: Authenticate): OpenAPIHono<ApiEnv> {
  const api = new OpenAPIHono<ApiEnv>({ defaultHook: invalidRequest })
  api.onError((error) =>
    toProblem(error, (cause) =>
      context.log.error({ reason: messageOf(cause), stack: cause instanceof Error ? cause.stack : undefined }, 'A request failed.'),
    ),
  )
  api.use('/v1/*', async (c, next) => {
    c.set('caller', await authenticate(c.req.raw.headers))
    return next()
  })
  api.use('/v1/*', limitBody, checkBody)
  addRuns(api, context)
  addEvents(api, context)
  addJobs(api, context)
  api.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' })
  api.openAPIRegistry.registerComponent('securitySchemes', 'pomerium', { type: 'apiKey', in: 'header', name: 'x-pomerium-jwt-assertion' })
  api.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Nightshift', version: '1', description: ABOUT },
    security: [{ token: [] }, { pomerium: [] }],
  })
  return api
}

function parseListen(listen: string): { hostname: string; port: number } {
  const at = listen.lastIndexOf(':')
  return { hostname: listen.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(listen.slice(at + 1)) }
}

const isLoopback = (hostname: string) => hostname === 'localhost' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname)
