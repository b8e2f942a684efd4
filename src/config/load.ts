// The configuration file: the one place that reads the environment, resolves paths and says what is wrong with its values.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Failure, messageOf } from '../core/failure.ts'
import { parseYaml, showIssue } from '../lib/yaml/file.ts'
import { substitute, type Environment } from './environment.ts'
import { resolvePaths } from './paths.ts'
import { rememberPlaces } from './places.ts'
import { readableSecrets } from './readable-secrets.ts'
import { resolveProxies } from './proxies.ts'
import { configSchema, RENAMED, type ConfigValues } from './schema.ts'
import { given, withPassword } from './secrets.ts'

export interface Config extends ConfigValues {
  /** Warnings, such as a key under its earlier name or a secret that others can read: a line each, with file and line, for the log. */
  notes: readonly string[]
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
export function loadConfig({ file: named, env }: LoadConfigOptions): Config {
  const file = named ?? env['NIGHTSHIFT_CONFIG'] ?? 'config/nightshift.yaml'
  const text = readConfig(file)
  const parsed = parseYaml(text, configSchema, { substitute: (value) => substitute(value, env), renamed: RENAMED })
  if (!parsed.ok) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The configuration has ${parsed.issues.length === 1 ? 'a fault' : `${parsed.issues.length} faults`}:\n  ${parsed.issues.map((issue) => showIssue(file, issue)).join('\n  ')}\n`,
    })
  }
  const values = resolvePaths(parsed.value, dirname(resolve(file)))
  const placeOf = (key: string) => `${file}:${parsed.place.lineOf([key])}: ${key}`
  const address = (key: 'databaseUrl' | 'redisUrl', variable: string, schemes: readonly string[]) => {
    const written = given(values[key])
    return addressOf(written === undefined ? `The variable ${variable}` : placeOf(key), written ?? given(env[variable]), schemes)
  }
  const config: Config = {
    ...values,
    ...resolveProxies(values, env),
    databaseUrl: withPassword(address('databaseUrl', 'DATABASE_URL', ['postgres:', 'postgresql:']), values.databasePasswordFile),
    redisUrl: redisAddress(address('redisUrl', 'REDIS_URL', ['redis:', 'rediss:'])),
    notes: [...parsed.notes, ...readableSecrets(file, text)].map((note) => showIssue(file, note)),
  }
  rememberPlaces(config, { file, text, place: parsed.place })
  return config
}

/** What Redis may be told of the way there. Its client would take any other of its own settings from an address, such as its bounds and a prefix of all keys, in place of ours. */
const OF_REDIS = new Set(['db', 'family'])

function redisAddress(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  const address = new URL(url)
  const kept = [...address.searchParams].filter(([name]) => OF_REDIS.has(name))
  if (kept.length === address.searchParams.size) return url
  address.search = String(new URLSearchParams(kept))
  return address.href
}

/** False when a part of a password seems to stand where the host ends: it would be looked up, and shown. */
const isWhole = ({ protocol, pathname, hash }: URL) =>
  hash === '' && (protocol.startsWith('redis') ? /^\/?\d*$/.test(pathname) : !pathname.includes('@'))

/** The address itself. `CONFIG_INVALID` for one of another scheme or none, without its text: it may hold a password. */
function addressOf(place: string, url: string | undefined, schemes: readonly string[]): string | undefined {
  if (url === undefined || (URL.canParse(url) && schemes.includes(new URL(url).protocol) && isWhole(new URL(url)))) return url
  throw new Failure({
    code: 'CONFIG_INVALID',
    message: `${place} is no address of the form ${schemes.map((scheme) => `${scheme}//host:port`).join(' or ')}.`,
    cure: 'Correct it, or take it out; a port goes up to 65535, in a password each special character is written with % and its code, and a database of Redis is a number.',
  })
}

function readConfig(file: string): string {
  if (!existsSync(file)) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `There is no configuration file ${file}.`,
      cure: 'Name one with --config or NIGHTSHIFT_CONFIG, write a first one with nightshift init, or see Nightshift work without one: nightshift demo.',
    })
  }
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Failure({ code: 'CONFIG_INVALID', message: `The configuration file ${file} cannot be read: ${messageOf(cause)}.`, cause })
  }
}
