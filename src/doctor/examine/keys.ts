import type { ConfigValues } from '../../config/schema.ts'
import { isObject } from '../../lib/json/object.ts'
import type { Proxying } from '../../lib/net/way/proxy.ts'
import { skipped, type Finding } from '../check.ts'
import type { CHECKS } from './checks.ts'

/**
 * Who looks at the value of a key: a check; `read`, which is all where the value alone decides whether it is right, or where it is compared with what else is read;
 * or nobody, and why.
 */
type Looked = keyof typeof CHECKS | 'read' | { nobody: string }

/** The keys of a value: those of a section each; `each`: those of whatever has a name. */
type Keys<Value> = Value extends readonly unknown[] | string | number | boolean | Date | Proxying
  ? Looked
  : string extends keyof Value
    ? { readonly each: KeysOf<Value[keyof Value]> }
    : { readonly [Key in keyof Value]-?: KeysOf<Value[Key]> }
type KeysOf<Value> = Keys<NonNullable<Value>>

const BY_NAME = { nobody: 'who there is, the identity provider alone knows' } as const
const BY_PROVIDER = { nobody: 'whether they are still right, the provider alone knows' } as const
const BY_ADMIN = { nobody: 'nightshift account list asks there; no run does' } as const
const RATES = { input: BY_PROVIDER, cachedInput: BY_PROVIDER, cacheWrite: BY_PROVIDER, output: BY_PROVIDER } as const
const AGES = { succeeded: 'read', incomplete: 'read', failed: 'read', cancelled: 'read' } as const
const CEILING = { tokens: 'read', costUsd: 'read' } as const
const GRANT = { role: BY_NAME, jobs: 'read' } as const

/** Every key of the configuration. One that is added has to say it here. */
export const KEYS: KeysOf<ConfigValues> = {
  databaseUrl: 'store',
  databasePasswordFile: 'store',
  redisUrl: 'queue',
  dataDir: 'store',
  jobsDir: 'read',
  gateway: {
    url: 'accounts',
    address: 'accounts',
    routeHosts: 'accounts',
    caFile: 'accounts',
    connections: 'read',
    proxy: 'ways',
    maxResponseBytes: 'read',
    setupTimeout: 'read',
  },
  accounts: { each: { token: 'accounts', tokenFile: 'accounts', concurrency: 'read', perRun: 'minter' } },
  servers: { each: { maxRequestBytes: 'accounts', concurrency: 'servers' } },
  providers: {
    each: {
      api: 'providers',
      baseUrl: 'providers',
      apiVersion: 'providers',
      apiKey: 'providers',
      apiKeyFile: 'providers',
      stream: 'providers',
      catalogue: 'read',
      store: 'providers',
      metadata: 'providers',
      cacheKey: 'providers',
      background: 'providers',
      mcpToken: 'providers',
      runHeader: 'providers',
      answerTimeout: 'read',
      maxResponseBytes: 'read',
      proxy: 'ways',
      caFile: 'providers',
      formatWithTools: 'providers',
    },
  },
  prices: { each: { ...RATES, tiers: { each: RATES } } },
  models: { each: { windowTokens: BY_PROVIDER, maxOutputTokens: BY_PROVIDER, readsImages: BY_PROVIDER } },
  budgets: { accounts: { each: CEILING }, jobs: { each: CEILING } },
  contract: { text: 'read' },
  reportsDir: 'reports',
  reportsReadableBy: 'read',
  webhooks: { each: { url: 'webhooks', secret: 'webhooks', secretFile: 'webhooks', proxy: 'ways', caFile: 'webhooks' } },
  retention: { content: AGES, metadata: AGES, log: 'read', fires: 'read' },
  audit: {
    gracePeriod: 'log',
    paramsMaxBytes: 'read',
    expected: { nobody: 'whether such requests come, audit report says' },
  },
  alerts: { webhook: 'webhooks', checkpoints: 'read' },
  evidence: { keyFile: 'evidence', memoryFile: 'evidence', readableBy: 'read' },
  admin: { url: BY_ADMIN, sharedSecretFile: BY_ADMIN, caFile: BY_ADMIN },
  minter: { socket: 'minter' },
  api: {
    listen: 'listen',
    maxQueued: 'read',
    maxAhead: 'read',
    sharePercent: 'read',
    metricTags: 'read',
    tokens: { each: { sha256: 'listen', role: 'read', jobs: 'read', expires: 'expiry' } },
    pomerium: { audience: 'callers', jwksUrl: 'callers', users: { each: GRANT }, groups: { each: GRANT } },
  },
  worker: { concurrency: 'store', toolConcurrency: 'read', drainTimeout: 'read', lockTimeout: 'read' },
  log: { level: 'read' },
}

/** The keys that are set and that nobody looks at, with why: a finding for each reason. */
export function notLookedAt(config: ConfigValues): Finding[] {
  const values = new Map(Object.entries(config))
  const unseen = Object.entries(KEYS).flatMap(([key, keys]) => unseenOf([key], keys, values.get(key)))
  return [...Map.groupBy(unseen, ({ why }) => why)].map(([why, those]) =>
    skipped('not checked', `${those.map(({ path }) => path.join('.')).join(', ')}: ${why}`),
  )
}

interface Unseen {
  path: string[]
  why: string
}

function unseenOf(path: string[], keys: unknown, value: unknown): Unseen[] {
  if (!isObject(keys) || value === undefined || (Array.isArray(value) && value.length === 0)) return []
  if (typeof keys['nobody'] === 'string') return [{ path, why: keys['nobody'] }]
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => unseenOf([...path, key], keys['each'] ?? keys[key], inner))
}
