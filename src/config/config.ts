import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { age, duration } from '../lib/duration.ts'
import { destinationsShape, resolveDestinationPaths } from '../delivery/destinations/registry.ts'
import { httpUrl } from '../lib/url.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { parseYaml, showIssue } from '../lib/yaml-file.ts'

function hasPort(address: string): boolean {
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  return port >= 1 && port <= 65_535
}

const accountSchema = z
  .strictObject({
    token: z.string().optional().describe('The token itself, from a variable: ${REPORTS_TOKEN}.'),
    token_file: z.string().optional().describe('File with the token; re-read when it changes.'),
    concurrency: z.int().min(1).max(10_000).optional(),
    perRun: z.boolean().default(false),
  })
  .refine((account) => (account.token === undefined) !== (account.token_file === undefined), 'needs exactly one of token and token_file')

const providerSchema = z
  .strictObject({
    api: z.enum(['responses', 'chat']).default('responses'),
    base_url: httpUrl.optional(),
    api_key: z.string().optional(),
    api_key_file: z.string().optional(),
    stream: z.boolean().default(true),
    store: z.boolean().optional(),
    background: z.boolean().default(false),
    timeout: duration.default(600_000),
  })
  .refine(
    (provider) => provider.api_key === undefined || provider.api_key_file === undefined,
    'has both api_key and api_key_file; keep one',
  )

const price = z.strictObject({ input: z.number().min(0), cachedInput: z.number().min(0), output: z.number().min(0) })

/** How long runs are kept, by the status they ended with; a status that is left out is kept for ever. */
const retentionSchema = z
  .strictObject({
    succeeded: age.optional(),
    incomplete: age.optional(),
    failed: age.optional(),
    cancelled: age.optional(),
  })
  .default({})

const role = z.enum(['viewer', 'runner', 'operator'])
const jobNames = z.array(z.string()).min(1).optional()
const grantSchema = z.union([role.transform((name) => ({ role: name, jobs: undefined })), z.strictObject({ role, jobs: jobNames })])

const apiSchema = z.strictObject({
  listen: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[^:\s]+):\d{1,5}$/i, 'must be host:port')
    .default('127.0.0.1:8480'),
  maxQueued: z.int().min(1).default(10_000),
  tokens: z
    .record(
      z.string(),
      z.strictObject({
        sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits; nightshift api-token makes a token and its line'),
        role,
        jobs: jobNames,
      }),
    )
    .default({}),
  pomerium: z
    .strictObject({
      audience: z.string().min(1),
      jwks_url: httpUrl.optional(),
      users: z.record(z.string(), grantSchema).default({}),
      groups: z.record(z.string(), grantSchema).default({}),
    })
    .optional(),
})

const auditSchema = z
  .strictObject({
    grace: duration.default(30_000),
    params: z.int().min(0).max(1_048_576).default(2048),
    expected: z
      .array(
        z
          .strictObject({
            account: z.string(),
            host: z.string().optional(),
            path: z.string().optional(),
            ip: z.string().optional(),
            tool: z.string().optional(),
          })
          .refine(
            ({ account: _account, ...about }) => Object.values(about).some((value) => value !== undefined),
            'would hide every line of the account; name a host, path, ip or tool',
          ),
      )
      .default([]),
  })
  .prefault({})

const ceiling = z
  .strictObject({ tokens: z.int().min(1).optional(), costUsd: z.number().positive().optional() })
  .refine(({ tokens, costUsd }) => tokens !== undefined || costUsd !== undefined, 'is empty; give tokens, costUsd or both')

const configSchema = z
  .strictObject({
    database_url: z.string().optional(),
    database_password_file: z.string().optional(),
    redis_url: z.string().optional(),
    dataDir: z.string().default('../.nightshift'),
    jobsDir: z.string().default('../jobs'),
    gateway: z.strictObject({
      url: httpUrl,
      address: z
        .string()
        .regex(/^(\[[0-9a-f:]+\]|[^:/\s]+):\d{1,5}$/i, { abort: true, error: 'must be host:port' })
        .refine(hasPort, 'must end in a port from 1 to 65535')
        .optional(),
      ca_file: z.string().optional(),
      connections: z.int().min(1).max(10_000).default(128),
      maxResponseBytes: z.int().min(1024).default(16_777_216),
      timeout: duration.default(60_000),
    }),
    accounts: z.record(z.string(), accountSchema),
    servers: z
      .record(
        z.string(),
        z.strictObject({ maxRequestBytes: z.int().min(256).default(4096), concurrency: z.int().min(1).max(10_000).optional() }),
      )
      .default({}),
    providers: z.record(z.string(), providerSchema),
    prices: z.record(z.string(), price).default({}),
    budgets: z
      .strictObject({ accounts: z.record(z.string(), ceiling).default({}), jobs: z.record(z.string(), ceiling).default({}) })
      .prefault({}),
    ...destinationsShape,
    retention: z.strictObject({ content: retentionSchema, metadata: retentionSchema, log: age.optional() }).prefault({}),
    audit: auditSchema,
    alerts: z.strictObject({ webhook: z.string() }).optional(),
    evidence: z.strictObject({ key_file: z.string().default('') }).prefault({}),
    admin: z.strictObject({ url: httpUrl, shared_secret_file: z.string(), ca_file: z.string().optional() }).optional(),
    minter: z.strictObject({ socket: z.string() }).optional(),
    api: apiSchema.optional(),
    worker: z
      .strictObject({
        concurrency: z.int().min(1).max(10_000).default(10),
        toolConcurrency: z.int().min(1).max(100).default(4),
        drain: duration.default(30_000),
        lock: duration.default(60_000),
      })
      .prefault({}),
    log: z.strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
  })
  .superRefine(({ accounts, budgets, alerts, webhooks, minter }, context) => {
    const fault = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (alerts && !Object.hasOwn(webhooks, alerts.webhook))
      fault(['alerts', 'webhook'], 'is no webhook; name one that stands under webhooks:')
    for (const [account, { perRun }] of Object.entries(accounts))
      if (perRun && !minter) fault(['accounts', account, 'perRun'], 'needs minter: { socket } to be configured')
    for (const account of Object.keys(budgets.accounts))
      if (!Object.hasOwn(accounts, account)) fault(['budgets', 'accounts', account], 'is no account; name one that stands under accounts:')
  })

export type Config = z.output<typeof configSchema>

export type Environment = Readonly<Record<string, string | undefined>>

/** The environment of this process; nothing else reads it. */
export const environment: Environment = process.env

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/** Puts `${VAR}` and `${VAR:-default}` in. A variable that is not set and has no default is a fault of its line. */
function substitute(value: string, env: Environment): string {
  return value.replace(VARIABLE, (_, name: string, fallback: string | undefined) => {
    const found = env[name]
    if (found !== undefined && found !== '') return found
    if (fallback !== undefined) return fallback
    throw new Error(`uses the variable ${name}, which is not set; set it, or write \${${name}:-default}`)
  })
}

export interface LoadConfigOptions {
  /** Path of the file; `NIGHTSHIFT_CONFIG` or config/nightshift.yaml when not given. */
  file?: string | undefined
  env: Environment
}

/**
 * Reads the configuration file. `DATABASE_URL` and `REDIS_URL` serve where the file says nothing of them. Paths in it are relative to it. Throws
 * `CONFIG_INVALID` that lists every fault with file, line and field; the text of a secret is in none of them.
 */
export function loadConfig({ file: given, env }: LoadConfigOptions): Config {
  const file = given ?? env['NIGHTSHIFT_CONFIG'] ?? 'config/nightshift.yaml'
  if (!existsSync(file)) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `There is no configuration file ${file}.`,
      cure: 'Name one with --config or NIGHTSHIFT_CONFIG, or run npm run demo to see Nightshift work without one.',
    })
  }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Failure({ code: 'CONFIG_INVALID', message: `The configuration file ${file} cannot be read: ${messageOf(cause)}.`, cause })
  }
  const parsed = parseYaml(text, configSchema, (value) => substitute(value, env))
  if (!parsed.ok) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The configuration has ${parsed.issues.length === 1 ? 'a fault' : `${parsed.issues.length} faults`}:\n  ${parsed.issues.map((issue) => showIssue(file, issue)).join('\n  ')}\n`,
    })
  }
  return resolvePaths(parsed.value, dirname(resolve(file)), env)
}

/** An empty text means "not set", so that `${DATABASE_URL:-}` chooses the default. */
const given = (value: string | undefined) => (value === undefined || value === '' ? undefined : value)

function resolvePaths(config: Config, base: string, env: Environment): Config {
  const path = (value: string | undefined) => (given(value) === undefined ? undefined : resolve(base, value ?? ''))
  return {
    ...config,
    database_url: withPassword(given(config.database_url) ?? given(env['DATABASE_URL']), path(config.database_password_file)),
    redis_url: given(config.redis_url) ?? given(env['REDIS_URL']),
    dataDir: resolve(base, config.dataDir),
    jobsDir: resolve(base, config.jobsDir),
    ...resolveDestinationPaths(config, (value) => resolve(base, value)),
    gateway: { ...config.gateway, ca_file: path(config.gateway.ca_file) },
    evidence: { key_file: path(config.evidence.key_file) ?? resolve(base, config.dataDir, 'evidence.key') },
    admin: config.admin && {
      ...config.admin,
      shared_secret_file: resolve(base, config.admin.shared_secret_file),
      ca_file: path(config.admin.ca_file),
    },
    minter: config.minter && { socket: resolve(base, config.minter.socket) },
    accounts: mapValues(config.accounts, (account) => ({ ...account, token_file: path(account.token_file) })),
    providers: mapValues(config.providers, (provider) => ({ ...provider, api_key_file: path(provider.api_key_file) })),
  }
}

/** The connection string with the password of a file in it. */
function withPassword(url: string | undefined, file: string | undefined): string | undefined {
  const password = readSecret('database_password_file', undefined, file)
  if (url === undefined || password === undefined) return url
  const target = new URL(url)
  target.password = encodeURIComponent(password)
  return target.href
}

function mapValues<T, U>(record: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}

/** Reads a secret that is given as text or as a file. Trailing newlines, which editors add, are not part of it. */
export function readSecret(what: string, value: string | undefined, file: string | undefined): string | undefined {
  if (file === undefined) return given(value)
  try {
    const text = readFileSync(file, 'utf8').replace(/[\r\n]+$/, '')
    if (text === '') throw new Error('it is empty')
    return text
  } catch (cause) {
    throw new Failure({ code: 'CONFIG_INVALID', message: `${what}: the file ${file} cannot be used: ${messageOf(cause)}.`, cause })
  }
}
