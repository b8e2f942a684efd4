import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Hono } from 'hono'
import { Failure, messageOf } from '../core/failure.ts'
import type { Lifecycle } from '../lib/lifecycle.ts'
import { answerBadAddress, answerUnreadable } from '../http/unreadable.ts'
import { httpUrl, isLoopback, parseListen } from '../lib/net/listen.ts'

export interface HttpServerOptions {
  /** host:port; port 0 takes a free one. */
  listen: string
  /** False: callers are not identified, so only loopback may be served. */
  hasIdentity: boolean
  /** The routes to serve. Their long answers end when `ending` is aborted. */
  routes: (ending: AbortSignal) => Hono
  idleTimeoutMs?: number
}

export interface HttpServer extends Lifecycle {
  /** Where it listens, once started. */
  url(): string
  /** From now on not ready; long answers end. What is under way goes on until `stop`. */
  drain(): void
}

const HEADERS_TIMEOUT_MS = 30_000
/** How long a connection is kept for a next request: gateways keep theirs much longer than Node would, and one that is ended while a request is on its way fails it. */
const KEEP_ALIVE_MS = 75_000
/** Idle time-out of a connection, for clients that do not read. Longer than any long poll, and than the interval of keep-alives. */
const IDLE_TIMEOUT_MS = 90_000
const CLOSE_TIMEOUT_MS = 5000

/** Serves routes over HTTP. Refuses to listen on an address that is not loopback while no identity is configured (`CONFIG_INVALID`). */
export function createHttpServer({ listen, hasIdentity, routes, idleTimeoutMs = IDLE_TIMEOUT_MS }: HttpServerOptions): HttpServer {
  const { hostname, port } = parseListen(listen)
  if (!isLoopback(hostname) && !hasIdentity) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `api.listen is ${listen}, which is not loopback, and no identity is configured.`,
      cure: 'Configure api.pomerium or api.tokens, or listen on 127.0.0.1.',
    })
  }
  const ending = new AbortController()
  const app = routes(ending.signal)
  let server: Server | undefined

  return {
    url: () => {
      const address: AddressInfo | string | null | undefined = server?.address()
      return typeof address === 'object' && address ? httpUrl(hostname, address.port) : ''
    },
    drain: () => ending.abort(),
    async start() {
      if (server) return
      let starting: Server
      try {
        const answer = getRequestListener(app.fetch, { hostname, errorHandler: answerBadAddress })
        starting = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS }, answer)
        answerUnreadable(starting)
        starting.listen(port, hostname)
        starting.setTimeout(idleTimeoutMs)
        // oxlint-disable-next-line waits/bounded -- the kernel says at once whether the address can be had
        await once(starting, 'listening')
      } catch (cause) {
        throw new Failure({
          code: 'CONFIG_INVALID',
          message: `Cannot listen on ${listen}: ${messageOf(cause)}.`,
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
      // oxlint-disable-next-line waits/bounded -- connections are ended after CLOSE_TIMEOUT_MS
      const closed = new Promise((done) => closing.close(done))
      const timer = setTimeout(() => closing.closeAllConnections(), CLOSE_TIMEOUT_MS)
      await closed
      clearTimeout(timer)
    },
  }
}
