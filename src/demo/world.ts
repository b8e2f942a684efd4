import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { makeCertificate } from './gateway/certificate.ts'
import type { DemoRoute } from './gateway/exchange.ts'
import { startEverythingServer } from './servers/everything.ts'
import { startDemoGateway, type DemoGateway } from './gateway/gateway.ts'
import { startLaborServer } from './servers/labor.ts'
import { startDemoModel, type DemoModel, type DemoModelOptions, type ValidateWire } from './model/model.ts'
import type { Step } from './model/script.ts'
import type { Character } from './model/seen.ts'

export const DOMAIN = 'localhost.pomerium.io'
const HOST = (name: string) => `https://${name}.${DOMAIN}`
const REQUEST_BYTES = 1_048_576

export interface WorldOptions {
  /** Where certificate, token, log and configuration go. */
  dir: string
  scripts: Record<string, readonly Step[]>
  /** Models that decide by themselves. */
  characters?: Readonly<Record<string, Character>>
  jobsDir: string
  /** Routes beside labor and everything, for tests. */
  routes?: readonly DemoRoute[]
  validate?: ValidateWire
  /** What the model's server insists on, and how it goes about hosted calls. */
  server?: Pick<DemoModelOptions, 'vendor' | 'habits' | 'windows'>
  /** Put over the configuration; mappings are merged. */
  config?: Record<string, unknown>
  api?: 'responses' | 'chat' | 'anthropic'
  /** Hosted answers go on at the provider without us. */
  background?: boolean
  /** The provider is told which run a request is of. */
  metadata?: boolean
  /** What else the configuration says of the provider. */
  provider?: Record<string, unknown>
  /** The gateway replaces the ids of our requests, as for callers outside of its private network. */
  replaceRequestIds?: boolean
}

/** All that Nightshift talks to, on this machine: gateway, MCP servers, model; and a configuration that points there. */
export interface World extends AsyncDisposable {
  gateway: DemoGateway
  model: DemoModel
  configFile: string
  logFile: string
  tokenFile: string
  /** The service account's id and token. */
  account: { id: string; jwt: string }
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const { dir } = options
  await using building = new AsyncDisposableStack()
  const labor = building.use(await startLaborServer())
  const everything = building.use(await startEverythingServer())
  const certificate = await makeCertificate([`*.${DOMAIN}`])
  const caFile = join(dir, 'gateway-ca.pem')
  writeFileSync(caFile, certificate.cert)
  const logFile = join(dir, 'pomerium.log')
  const policy = { allowUsers: ['svc-reports'] }
  const gateway = building.use(
    await startDemoGateway({
      tls: certificate,
      logFile,
      ...(options.replaceRequestIds !== undefined && { replaceRequestIds: options.replaceRequestIds }),
      routes: [
        {
          name: 'labor',
          description: 'Unemployment by industry',
          from: HOST('labor'),
          to: labor.url,
          kind: 'mcp-server',
          path: '/mcp',
          maxRequestBytes: REQUEST_BYTES,
          policy,
        },
        {
          name: 'everything',
          description: 'Reference server',
          from: HOST('everything'),
          to: everything.url,
          kind: 'mcp-server',
          path: '/mcp',
          maxRequestBytes: REQUEST_BYTES,
          policy,
        },
        ...(options.routes ?? []),
      ],
    }),
  )
  const model = building.use(
    await startDemoModel({
      scripts: options.scripts,
      ...(options.characters && { characters: options.characters }),
      apiKey: 'demo-model-key',
      reach: { address: gateway.address, ca: certificate.cert },
      ...(options.validate && { validate: options.validate }),
      ...options.server,
    }),
  )
  const account = await gateway.accounts.create({ userId: 'svc-reports' })
  const tokenFile = join(dir, 'reports.token')
  writeFileSync(tokenFile, `${account.jwt}\n`, { mode: 0o600 })
  const configFile = join(dir, 'nightshift.yaml')
  const base: Record<string, unknown> = {
    dataDir: dir,
    jobsDir: options.jobsDir,
    reportsDir: join(dir, 'reports'),
    gateway: { url: HOST('labor'), address: gateway.address, caFile: caFile },
    accounts: { reports: { tokenFile: tokenFile } },
    servers: { labor: { maxRequestBytes: REQUEST_BYTES }, everything: { maxRequestBytes: REQUEST_BYTES } },
    providers: {
      openai: {
        api: options.api ?? 'responses',
        baseUrl: model.url,
        apiKey: 'demo-model-key',
        background: options.background ?? false,
        ...(options.metadata !== undefined && { metadata: options.metadata }),
        ...options.provider,
      },
    },
    prices: { 'gpt-5.4-mini': { input: 0.25, cachedInput: 0.025, output: 2 } },
    log: { level: 'warn' },
  }
  const config = { ...base }
  for (const [key, value] of Object.entries(options.config ?? {}))
    config[key] = isMapping(base[key]) && isMapping(value) ? { ...base[key], ...value } : value
  writeFileSync(configFile, stringify(config), { mode: 0o600 })
  const stack = building.move()
  return { gateway, model, configFile, logFile, tokenFile, account, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const isMapping = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
