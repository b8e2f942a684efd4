import { randomBytes, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { createDemoAccounts, type DemoAccount, type DemoAccounts } from './accounts.ts'
import { createAssertions, type Assertions } from './assertions.ts'
import { createProxy } from './proxy.ts'
import { answer, envoyError, type DemoRoute, type Exchange } from './exchange.ts'
import { decide, seeRpc, type Decision, type SeenRpc } from './policy.ts'

export interface DemoGatewayOptions {
  routes: readonly DemoRoute[]
  /** Where the authorize lines go, one JSON object a line. */
  logFile: string
  tls?: { key: string; cert: string }
  port?: number
  /** Where its service accounts are kept; in memory when not given. */
  accountsFile?: string
  /** As for callers outside a private network: the caller's x-request-id is replaced. */
  replaceRequestIds?: boolean
}

export interface DemoGateway extends AsyncDisposable {
  port: number
  address: string
  accounts: DemoAccounts
  /** Routes can be changed while it runs; a policy granted counts from the next request. */
  routes: DemoRoute[]
  /** Stores an upstream token for the user: what a person's consent does. */
  connect(user: string, route: string): void
  disconnect(user: string, route: string): void
  /** Resolves when all lines written so far are in the file. */
  flushLog(): Promise<void>
}

const DEFAULT_REQUEST_BYTES = 4096
const ROUTES_PATH = '/.pomerium/mcp/routes'
const HTML = 'text/html; charset=UTF-8'
const NO_STORE = 'no-store, no-cache, must-revalidate, max-age=0'

/**
 * A stand-in for Pomerium that answers as the recordings of a live one: policy, route list, the several 401s, faults of the upstream, and the
 * authorize log. It proxies for real, to real MCP servers.
 */
export async function startDemoGateway(options: DemoGatewayOptions): Promise<DemoGateway> {
  const routes = [...options.routes]
  const accounts = createDemoAccounts(options.accountsFile)
  const assertions = await createAssertions()
  const connected = new Set<string>()
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 })
  const proxy = createProxy()
  const handle: RequestListener = (req, res) => void serve(req, res).catch(() => res.destroy())

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await buffer(req)
    const sent = req.headers['x-request-id']
    const requestId = typeof sent === 'string' && options.replaceRequestIds !== true ? sent : randomUUID()
    const url = new URL(req.url ?? '/', `${options.tls ? 'https' : 'http'}://${req.headers.host ?? 'unknown'}`)
    const account = await accounts.verify(tokenOf(req))
    const exchange: Exchange = { req, res, url, requestId, body, account }
    const route = routes.find(({ from }) => new URL(from).host === url.host)
    const isOwn = url.pathname.startsWith('/.pomerium/') || url.pathname.startsWith('/.well-known/')
    if (isOwn && (route || routes.some(({ from }) => authenticateHost(new URL(from).host) === url.host)))
      return servePomerium(exchange, route)
    if (route) return serveRoute(exchange, route)
    answer(exchange, 404, 'application/json; charset=UTF-8', envoyError(requestId, '404', 'route_not_found'))
  }

  async function servePomerium(exchange: Exchange, route: DemoRoute | undefined): Promise<void> {
    const { url, account } = exchange
    const isPublic = url.pathname.startsWith('/.well-known/')
    const allow = isPublic || account !== undefined
    writeLog(exchange, 'own', { allow, allowWhy: [allow ? 'pomerium-route' : 'user-unauthenticated'], deny: false, denyWhy: [] })
    if (isPublic) return serveWellKnown(exchange, assertions)
    if (!account) return unauthenticated(exchange)
    switch (url.pathname) {
      case ROUTES_PATH:
        return sendServers(exchange, account)
      case '/.pomerium/mcp/connect':
        return serveConnect(exchange, route, account)
      case '/.pomerium/mcp/routes/disconnect':
        for (const gone of routesIn(exchange.body))
          for (const one of routes.filter(({ from }) => from === gone)) connected.delete(`${account.userId} ${one.name}`)
        return sendServers(exchange, account)
      default:
        return answer(exchange, 404, HTML, page('Not Found'))
    }
  }

  function sendServers(exchange: Exchange, { userId }: DemoAccount): void {
    const servers = routes
      .filter(({ kind }) => kind === 'mcp-server')
      .map(({ name, description, from, path }) => ({
        name,
        ...(description !== undefined && { description }),
        url: `${from}${path ?? ''}`,
        connected: connected.has(`${userId} ${name}`),
        needs_oauth: true,
      }))
    answer(exchange, 200, 'application/json', `${JSON.stringify({ servers })}\n`, { 'cache-control': NO_STORE, ...upstreamTime })
  }

  function serveConnect(exchange: Exchange, route: DemoRoute | undefined, account: DemoAccount): void {
    const back = exchange.url.searchParams.get('redirect_url') ?? ''
    const isClient = routes.some(
      ({ kind, from }) => kind === 'mcp-client' && URL.canParse(back) && new URL(from).host === new URL(back).host,
    )
    if (!route || !isClient) return answer(exchange, 400, HTML, page('invalid redirect_url'))
    const consent = connected.has(`${account.userId} ${route.name}`) ? undefined : route.upstreamOAuth
    const location = consent ? consentUrl(route, consent.authorizationUrl) : back
    answer(exchange, 302, 'text/html; charset=utf-8', `<a href="${location.replaceAll('&', '&amp;')}">Found</a>.\n\n`, {
      location,
      ...upstreamTime,
    })
  }

  async function serveRoute(exchange: Exchange, route: DemoRoute): Promise<void> {
    const { req, account, body, requestId } = exchange
    const isMcp = route.kind === 'mcp-server'
    const rpc = isMcp && req.method === 'POST' ? seeRpc(body, route.maxRequestBytes ?? DEFAULT_REQUEST_BYTES) : undefined
    const decision = decide(route.policy, account?.userId, rpc)
    writeLog(exchange, rpc, decision)
    if (account && decision.allow && !decision.deny) {
      const upstreamToken = connected.has(`${account.userId} ${route.name}`) ? 'upstream-token' : undefined
      return proxy.forward(exchange, route, account, { upstreamToken, assertions, challenge: challenge(route) })
    }
    if (!isMcp) return account ? answer(exchange, 403, HTML, page('Forbidden')) : unauthenticated(exchange)
    if (!account || req.method !== 'POST' || !rpc) return unauthorized(exchange, route)
    const message = `access denied, please see the authorization log for the request ${requestId} for details`
    const error = { code: -32602, message, data: { request_id: requestId } }
    answer(exchange, 200, 'application/json', JSON.stringify({ jsonrpc: '2.0', ...(rpc.id !== undefined && { id: rpc.id }), error }), {
      'cache-control': 'no-cache',
    })
  }

  /** `own`: a request that the gateway answers itself, on no route. */
  function writeLog({ req, url, requestId, account }: Exchange, seen: SeenRpc | 'own' | undefined, decision: Decision): void {
    const rpc = seen === 'own' ? undefined : seen
    const runId = req.headers['x-nightshift-run-id']
    const line = {
      level: 'info',
      'server-name': 'all',
      service: 'authorize',
      'request-id': requestId,
      'check-request-id': requestId,
      method: req.method,
      host: url.host,
      path: url.pathname,
      ip: '127.0.0.1',
      user: account?.userId ?? '',
      email: '',
      ...(account && { 'service-account-id': account.id }),
      ...(seen !== 'own' && { 'route-id': '' }),
      ...(rpc && { 'mcp-method': rpc.method }),
      ...(rpc?.tool !== undefined && { 'mcp-tool': rpc.tool, 'mcp-tool-parameters': rpc.parameters }),
      headers: typeof runId === 'string' ? { 'X-Nightshift-Run-Id': runId } : {},
      allow: decision.allow,
      [decision.allow ? 'allow-why-true' : 'allow-why-false']: decision.allowWhy,
      deny: decision.deny,
      [decision.deny ? 'deny-why-true' : 'deny-why-false']: decision.denyWhy,
      time: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      message: 'authorize check',
    }
    log.write(`${JSON.stringify(line)}\n`)
  }

  const server: Server = options.tls ? createHttpsServer(options.tls, handle) : createHttpServer(handle)
  server.requestTimeout = 0
  server.keepAliveTimeout = 120_000
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    port,
    address: `127.0.0.1:${port}`,
    accounts,
    routes,
    connect: (user, route) => void connected.add(`${user} ${route}`),
    disconnect: (user, route) => void connected.delete(`${user} ${route}`),
    flushLog: () => new Promise((done) => log.write('', () => done())),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
      await proxy.close()
      await new Promise((done) => log.end(done))
    },
  }
}

const upstreamTime = { 'x-envoy-upstream-service-time': '1' }

/** The three ways to send a service account's token (measured: all equal). */
function tokenOf(req: IncomingMessage): string {
  const own = req.headers['x-pomerium-authorization']
  if (typeof own === 'string') return own
  return /^(?:Bearer Pomerium-|Pomerium )(.+)$/.exec(req.headers.authorization ?? '')?.[1] ?? ''
}

function routesIn(body: Buffer): string[] {
  try {
    const parsed: unknown = JSON.parse(body.toString())
    const list: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'routes') : undefined
    return Array.isArray(list) ? list.map(String) : []
  } catch {
    return []
  }
}

const authenticateHost = (host: string) => `authenticate.${host.split('.').slice(1).join('.')}`

/** Where a person agrees that the gateway may use the upstream in an account's name. */
function consentUrl({ from }: DemoRoute, authorizationUrl: string): string {
  const url = new URL(authorizationUrl)
  const parameters = {
    client_id: 'demo',
    code_challenge: randomBytes(32).toString('base64url'),
    code_challenge_method: 'S256',
    redirect_uri: `${from}/.pomerium/mcp/client/oauth/callback`,
    resource: url.origin,
    response_type: 'code',
    scope: 'read',
    state: randomBytes(32).toString('base64url'),
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  return url.href
}

const page = (text: string) =>
  `<!DOCTYPE html>\n<html lang="en">\n  <head>\n    <meta charset="utf-8" />\n    <title>${text}</title>\n  </head>\n  <body>${text}</body>\n</html>\n`

const challenge = (route: DemoRoute) => ({
  'www-authenticate': `Bearer resource_metadata="${route.from}/.well-known/oauth-protected-resource${route.path ?? '/mcp'}"`,
})

function unauthorized(exchange: Exchange, route: DemoRoute): void {
  if (exchange.req.method !== 'POST')
    return answer(exchange, 401, HTML, page('Unauthorized'), { ...challenge(route), 'x-pomerium-intercepted-response': 'true' })
  answer(exchange, 401, 'application/json', JSON.stringify({ error: 'Unauthorized', request_id: exchange.requestId }), challenge(route))
}

function unauthenticated(exchange: Exchange): void {
  const { req, url, requestId } = exchange
  if (req.headers.accept?.includes('application/json'))
    return answer(exchange, 401, 'application/json', JSON.stringify({ error: 'Unauthenticated', request_id: requestId }))
  const signIn = new URL('/.pomerium/sign_in', `https://${authenticateHost(url.host)}`)
  const issuedAt = Math.floor(Date.now() / 1000)
  signIn.search = new URLSearchParams({
    pomerium_expiry: String(issuedAt + 300),
    pomerium_idp_id: 'demo',
    pomerium_issued: String(issuedAt),
    pomerium_redirect_uri: url.href,
    pomerium_signature: randomBytes(32).toString('base64url'),
    pomerium_traceparent: `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`,
  }).toString()
  answer(exchange, 302, HTML, page('Found'), { location: signIn.href, 'x-pomerium-intercepted-response': 'true' })
}

function serveWellKnown(exchange: Exchange, assertions: Assertions): void {
  const { url } = exchange
  const metadata = /^\/\.well-known\/oauth-protected-resource(\/.*)?$/.exec(url.pathname)
  if (url.pathname === '/.well-known/pomerium/jwks.json') {
    return answer(exchange, 200, 'application/json', JSON.stringify(assertions.jwks), { 'cache-control': 'max-age=60', ...upstreamTime })
  }
  if (metadata) {
    const about = {
      resource: `${url.origin}${metadata[1] ?? ''}`,
      authorization_servers: [url.origin],
      bearer_methods_supported: ['header'],
      resource_name: 'Pomerium',
    }
    return answer(exchange, 200, 'application/json', `${JSON.stringify(about)}\n`, upstreamTime)
  }
  answer(exchange, 404, HTML, page('Not Found'))
}
