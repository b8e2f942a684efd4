import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Agent, request } from 'undici'
import type { DemoAccount } from './accounts.ts'
import type { Assertions } from './assertions.ts'
import { answer, envoyError, type DemoRoute, type Exchange } from './exchange.ts'

interface Forwarding {
  upstreamToken: string | undefined
  assertions: Assertions
  challenge: Record<string, string>
}

/** Hop-by-hop and identity headers: the upstream gets its own. */
const NOT_FORWARDED = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'authorization',
  'x-pomerium-authorization',
  'x-request-id',
  'upgrade',
  'te',
])

/** Sends an allowed request to its upstream, and the upstream's faults to the client as Pomerium does. */
export function createProxy() {
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: 1000, pipelining: 1 })

  async function forward(exchange: Exchange, route: DemoRoute, account: DemoAccount, forwarding: Forwarding): Promise<void> {
    const { req, res, url, requestId, body } = exchange
    const abort = new AbortController()
    res.once('close', () => abort.abort())
    // Measured: a body that policy looked into goes on in chunks, without its length.
    const isMcp = route.kind === 'mcp-server'
    const began = Date.now()
    let upstream
    try {
      upstream = await request(new URL(url.pathname + url.search, route.to), {
        dispatcher,
        method: req.method === 'DELETE' ? 'DELETE' : req.method === 'GET' ? 'GET' : 'POST',
        headers: await headersFor(exchange, route, account, forwarding),
        body: req.method === 'GET' || body.length === 0 ? null : isMcp ? Readable.from([body]) : body,
        signal: abort.signal,
      })
    } catch (error) {
      if (abort.signal.aborted) return
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      const why = code === 'ECONNREFUSED' ? 'remote_connection_failure|delayed_connect_error:_Connection_refused' : 'connection_termination'
      return answer(
        exchange,
        503,
        'application/json; charset=UTF-8',
        envoyError(requestId, '503', `upstream_reset_before_response_started{${why}}`),
      )
    }
    if (upstream.statusCode === 401 && isMcp) {
      await upstream.body.dump()
      return route.upstreamOAuth
        ? answer(exchange, 401, undefined, '', { ...forwarding.challenge, 'cache-control': 'no-store' })
        : answer(exchange, 502, undefined, '', { 'cache-control': 'no-store' })
    }
    const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, date: ____, ...headers } = upstream.headers
    res.writeHead(upstream.statusCode, {
      ...headers,
      'x-request-id': requestId,
      ...(route.withoutMarks !== true && { 'x-envoy-upstream-service-time': String(Date.now() - began) }),
      server: 'envoy',
    })
    res.flushHeaders()
    // A stream that the upstream cuts is a connection that we reset: the client must not take it for the end.
    await pipeline(upstream.body, res).catch(() => res.socket?.resetAndDestroy())
  }

  return { forward, close: () => dispatcher.destroy() }
}

async function headersFor(
  { req, url, requestId }: Exchange,
  route: DemoRoute,
  account: DemoAccount,
  { upstreamToken, assertions }: Forwarding,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(req.headers)) {
    if (!NOT_FORWARDED.has(name) && value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  headers['x-forwarded-for'] = '127.0.0.1'
  headers['x-forwarded-proto'] = 'https'
  headers['x-envoy-internal'] = 'true'
  headers['x-request-id'] = requestId
  headers['x-envoy-original-host'] = url.host
  headers['x-forwarded-host'] = url.host
  switch (route.kind) {
    case 'mcp-server':
      if (upstreamToken !== undefined) headers['authorization'] = `Bearer ${upstreamToken}`
      break
    case 'mcp-client':
      headers['authorization'] = 'Bearer pom_mat_demo'
      break
    case 'plain':
      // Measured: a plain route forwards the caller's own token.
      if (req.headers.authorization !== undefined) headers['authorization'] = req.headers.authorization
      break
  }
  if (route.kind !== 'mcp-server') headers['x-envoy-expected-rq-timeout-ms'] = '30000'
  if (route.passIdentityHeaders) headers['x-pomerium-jwt-assertion'] = await assertions.sign(account, url.hostname)
  return headers
}
