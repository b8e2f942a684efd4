// The configuration file: the one place that reads the environment, resolves paths and says what is wrong with its values.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Failure, messageOf } from '../core/failure.ts'
import { parseYaml, showIssue } from '../lib/yaml/file.ts'
import { proposeVariable, substitute, type Environment } from './environment.ts'
import { resolvePaths } from './paths.ts'
import { rememberPlaces } from './places.ts'
import { readableSecrets } from './readable-secrets.ts'
import { resolveProxies } from './proxies.ts'
import { configSchema, RENAMED, type ConfigValues } from './schema.ts'
import { databaseAddress, redisAddress } from './store/addresses.ts'

export interface Config extends ConfigValues {
  /** Warnings, such as a key under its earlier name or a secret that others can read: a line each, with file and line, for the log. */
  notes: readonly string[]
}

export interface LoadConfigOptions {
  /** Path of the file; `NIGHTSHIFT_CONFIG` or config/nightshift.yaml when not given. */
  file?: string | undefined
  env: Environment
  /** By a process that has read it before, and that waits for nobody: what is no file, such as a pipe that another one writes into, is a fault. */
  again?: boolean
}

/** The path of the file that is meant. */
export const configFile = ({ file, env }: Pick<LoadConfigOptions, 'file' | 'env'>): string =>
  file ?? env['NIGHTSHIFT_CONFIG'] ?? 'config/nightshift.yaml'

/**
 * Reads the configuration file. `DATABASE_URL` and `REDIS_URL` serve where the file says nothing of them. Paths in it are relative to it. Throws
 * `CONFIG_INVALID` that lists every fault with file, line and field; the text of a secret is in none of them.
 */
export function loadConfig({ file: named, env, again = false }: LoadConfigOptions): Config {
  const file = configFile({ file: named, env })
  const text = readConfig(file, again)
  const parsed = parseYaml(text, configSchema, { substitute: (value) => substitute(value, env), renamed: RENAMED })
  if (!parsed.ok) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The configuration has ${parsed.issues.length === 1 ? 'a fault' : `${parsed.issues.length} faults`}:\n  ${parsed.issues.map((issue) => showIssue(file, proposeVariable(issue, env))).join('\n  ')}\n`,
      cure: 'Each key is described in docs/configuration.md.',
    })
  }
  const values = resolvePaths(parsed.value, dirname(resolve(file)))
  const placeOf = (key: string) => `${file}:${parsed.place.lineOf([key])}: ${key}`
  const config: Config = {
    ...values,
    ...resolveProxies(values, env),
    databaseUrl: databaseAddress({ values, placeOf, env }),
    redisUrl: redisAddress({ values, placeOf, env }),
    notes: [...parsed.notes, ...readableSecrets(file, text)].map((note) => showIssue(file, note)),
  }
  rememberPlaces(config, { file, text, place: parsed.place })
  return config
}

/** The text of the file. Throws `CONFIG_INVALID`. */
export function readConfig(file: string, again = false): string {
  if (!existsSync(file)) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `There is no configuration file ${file}.`,
      cure: 'Name one with --config or NIGHTSHIFT_CONFIG, write a first one with nightshift init, or see Nightshift work without one: nightshift demo.',
    })
  }
  try {
    const stat = statSync(file)
    if (again && !stat.isFile() && !stat.isDirectory()) throw new Error('it is a pipe or the like, which gives its text once, and no file')
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Failure({ code: 'CONFIG_INVALID', message: `The configuration file ${file} cannot be read: ${messageOf(cause)}.`, cause })
  }
}
