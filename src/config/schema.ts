import { z } from 'zod'
import { ownNameFaults } from './names/own.ts'
import { accountsSchema, adminSchema, minterSchema } from './sections/accounts.ts'
import { apiSchema } from './sections/api.ts'
import { alertsSchema, auditSchema, evidenceSchema } from './sections/audit.ts'
import { retentionSchema } from './sections/retention.ts'
import { destinationsShape } from '../delivery/destinations/registry.ts'
import { contractSchema } from './sections/contract.ts'
import { gatewaySchema, serversSchema } from './sections/gateway.ts'
import { budgetsSchema, modelsSchema, pricesSchema, providersSchema } from './sections/models.ts'
import { logSchema, workerSchema } from './sections/worker.ts'

/** The format of the configuration file: a section each, and what must fit between them. */
export const configSchema = z
  .strictObject({
    databaseUrl: z
      .string()
      .optional()
      .describe(
        'Postgres of your own. Without it, an embedded one runs under dataDir. The variable DATABASE_URL does the same. What the URL does not say of user, password and TLS is taken from PGUSER, PGPASSWORD and PGSSLMODE; the embedded one takes no PG… variable.',
      ),
    databasePasswordFile: z.string().optional().describe('File with the password, for a databaseUrl that has none.'),
    redisUrl: z
      .string()
      .optional()
      .describe(
        'Redis for the queue (7 or newer, appendonly, maxmemory-policy noeviction). Without it, the queue is in Postgres. The variable REDIS_URL does the same.',
      ),
    dataDir: z.string().default('../.nightshift').describe('Where the embedded Postgres keeps its files.'),
    jobsDir: z.string().default('../jobs').describe('Where the job files are.'),
    gateway: gatewaySchema,
    accounts: accountsSchema,
    servers: serversSchema,
    providers: providersSchema,
    prices: pricesSchema,
    models: modelsSchema,
    budgets: budgetsSchema,
    contract: contractSchema,
    ...destinationsShape,
    retention: retentionSchema,
    audit: auditSchema,
    alerts: alertsSchema,
    evidence: evidenceSchema,
    admin: adminSchema,
    minter: minterSchema,
    api: apiSchema,
    worker: workerSchema,
    log: logSchema,
  })
  .superRefine((config, context) => {
    for (const { path, message } of ownNameFaults(config)) context.addIssue({ code: 'custom', path, message })
    for (const [account, { perRun }] of Object.entries(config.accounts))
      if (perRun && !config.minter)
        context.addIssue({
          code: 'custom',
          path: ['accounts', account, 'perRun'],
          message:
            'needs the process that makes such accounts; add minter: { socket: /run/nightshift/minter.sock } at the top level of this file, or take perRun out',
        })
  })

/** What a configuration file says, with defaults; durations are milliseconds. */
export type ConfigValues = z.output<typeof configSchema>

/** Earlier spellings of keys, with the names they have now. They are read until the next version. */
export const RENAMED: Readonly<Record<string, string>> = {
  database_url: 'databaseUrl',
  database_password_file: 'databasePasswordFile',
  redis_url: 'redisUrl',
  'gateway.ca_file': 'caFile',
  'gateway.timeout': 'setupTimeout',
  'accounts.*.token_file': 'tokenFile',
  'providers.*.base_url': 'baseUrl',
  'providers.*.api_key': 'apiKey',
  'providers.*.api_key_file': 'apiKeyFile',
  'providers.*.timeout': 'answerTimeout',
  'webhooks.*.secret_file': 'secretFile',
  'audit.grace': 'gracePeriod',
  'audit.params': 'paramsMaxBytes',
  'evidence.key_file': 'keyFile',
  'admin.shared_secret_file': 'sharedSecretFile',
  'admin.ca_file': 'caFile',
  'api.pomerium.jwks_url': 'jwksUrl',
  'worker.drain': 'drainTimeout',
  'worker.lock': 'lockTimeout',
}
