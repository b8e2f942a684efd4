// A gateway of its own with the author's MCP servers behind it, and a configuration that points there: all else is the product.
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { makeCertificate } from '../demo/gateway/certificate.ts'
import type { DemoRoute } from '../demo/gateway/exchange.ts'
import { startDemoGateway } from '../demo/gateway/gateway.ts'
import { startStdioServer } from '../demo/servers/stdio.ts'
import type { Needs } from './needs.ts'
import type { RunningDevServer } from './look.ts'
import type { DevServer, DevSettings } from './settings.ts'

const DOMAIN = 'localhost.pomerium.io'
/** Pomerium's own default is 4096; who sets up a route for large requests raises it. */
const REQUEST_BYTES = 1_048_576
/** For reports, which are not sent. */
const NO_SECRET = `whsec_${Buffer.alloc(24).toString('base64')}`

export interface DevWorld extends AsyncDisposable {
  configFile: string
  /** The servers by their names. */
  servers: ReadonlyMap<string, RunningDevServer>
}

export interface DevWorldOptions extends DevSettings {
  /** For the configuration and the certificate. */
  dir: string
  jobsDir: string
  needs: Needs
}

export async function startDevWorld(options: DevWorldOptions): Promise<DevWorld> {
  const { dir, needs, model } = options
  await using building = new AsyncDisposableStack()
  const names = Object.keys(options.servers)
  const routes: DemoRoute[] = []
  const servers = new Map<string, RunningDevServer>()
  for (const [name, server] of Object.entries(options.servers)) {
    const running = await startServer(name, server, options.cwd, building)
    servers.set(name, running)
    const url = new URL(running.url)
    routes.push({
      name,
      from: `https://server-${routes.length + 1}.${DOMAIN}`,
      to: url.origin,
      kind: 'mcp-server',
      path: `${url.pathname}${url.search}`,
      maxRequestBytes: REQUEST_BYTES,
      policy: { allowUsers: [...needs.accounts].map(userOf) },
    })
  }
  const certificate = await makeCertificate([`*.${DOMAIN}`])
  const caFile = join(dir, 'gateway-ca.pem')
  writeFileSync(caFile, certificate.cert)
  const own: DemoRoute = { name: 'nobody', from: `https://gateway.${DOMAIN}`, to: 'http://127.0.0.1:1', kind: 'plain', policy: {} }
  const gateway = building.use(await startDemoGateway({ tls: certificate, logFile: join(dir, 'pomerium.log'), routes: [own, ...routes] }))
  const accounts: Record<string, unknown> = {}
  for (const name of needs.accounts) accounts[name] = { token: (await gateway.accounts.create({ userId: userOf(name) })).jwt }
  const configFile = join(dir, 'nightshift.yaml')
  const config = {
    dataDir: dir,
    jobsDir: resolve(options.jobsDir),
    reportsDir: join(dir, 'reports'),
    gateway: { url: own.from, address: gateway.address, caFile },
    accounts,
    servers: Object.fromEntries(names.map((name) => [name, { maxRequestBytes: REQUEST_BYTES }])),
    providers: Object.fromEntries(
      [...needs.providers].map((name) => [
        name,
        // Without a model, nobody is asked at this address.
        model
          ? { api: model.api, baseUrl: model.baseUrl, ...(model.apiKey !== undefined && { apiKey: model.apiKey }) }
          : { api: 'responses', baseUrl: 'http://127.0.0.1:1/v1' },
      ]),
    ),
    webhooks: Object.fromEntries([...needs.webhooks].map((name) => [name, { url: 'http://127.0.0.1:1/', secret: NO_SECRET }])),
    prices: Object.fromEntries([...needs.models].map((name) => [name, { input: 0, cachedInput: 0, output: 0 }])),
    log: { level: 'warn' },
  }
  writeFileSync(configFile, stringify(config), { mode: 0o600 })
  const stack = building.move()
  return { configFile, servers, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const userOf = (account: string) => `svc-${account}`

async function startServer(name: string, server: DevServer, cwd: string, stack: AsyncDisposableStack): Promise<RunningDevServer> {
  if (typeof server === 'string') return { name, url: server, program: undefined }
  const { url, fault } = stack.use(await startStdioServer({ ...server, cwd }))
  return { name, url, program: { line: [server.command, ...server.args].join(' '), fault } }
}
