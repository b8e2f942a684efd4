import { resolve } from 'node:path'
import { resolveDestinationPaths } from '../delivery/destinations/registry.ts'
import type { ConfigValues } from './schema.ts'
import { given } from './secrets.ts'

/** The configuration with its paths made absolute: those in it are relative to `base`, the directory of its file. An empty path is none. */
export function resolvePaths(config: ConfigValues, base: string): ConfigValues {
  const path = (value: string | undefined) => (given(value) === undefined ? undefined : resolve(base, value ?? ''))
  const keyFile = path(config.evidence.keyFile) ?? resolve(base, config.dataDir, 'evidence.key')
  return {
    ...config,
    databasePasswordFile: path(config.databasePasswordFile),
    dataDir: resolve(base, config.dataDir),
    jobsDir: resolve(base, config.jobsDir),
    ...resolveDestinationPaths(config, (value) => resolve(base, value)),
    gateway: { ...config.gateway, caFile: path(config.gateway.caFile) },
    evidence: { ...config.evidence, keyFile, memoryFile: path(config.evidence.memoryFile) ?? `${keyFile}.last` },
    admin: config.admin && {
      ...config.admin,
      sharedSecretFile: resolve(base, config.admin.sharedSecretFile),
      caFile: path(config.admin.caFile),
    },
    minter: config.minter && { socket: resolve(base, config.minter.socket) },
    accounts: mapValues(config.accounts, (account) => ({ ...account, tokenFile: path(account.tokenFile) })),
    providers: mapValues(config.providers, (provider) => ({
      ...provider,
      apiKeyFile: path(provider.apiKeyFile),
      caFile: path(provider.caFile),
    })),
  }
}

function mapValues<T, U>(record: Record<string, T>, map: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]))
}
