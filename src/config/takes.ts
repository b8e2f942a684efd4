// When a value that was changed in the file is in force, for each key of the configuration.
import { isDeepStrictEqual } from 'node:util'
import { isObject } from '../lib/json/object.ts'
import type { Config } from './load.ts'
import type { ConfigValues } from './schema.ts'

/**
 * `at once`: when the file is read again, for what begins then; a run goes on with what its attempt began with. `after a restart`: the process was built on it.
 * `by commands`: only commands read it, each when it begins.
 */
export type Takes = 'at once' | 'after a restart' | 'by commands'

/** A key that is added has to say it; a section whose keys differ says it for each. */
export const TAKES: {
  readonly [Key in keyof ConfigValues]-?: Takes | { readonly [Inner in keyof NonNullable<ConfigValues[Key]>]-?: Takes }
} = {
  databaseUrl: 'after a restart',
  databasePasswordFile: 'after a restart',
  redisUrl: 'after a restart',
  dataDir: 'after a restart',
  jobsDir: 'after a restart',
  gateway: 'at once',
  accounts: 'at once',
  servers: 'at once',
  providers: 'at once',
  prices: 'at once',
  models: 'at once',
  budgets: 'at once',
  contract: 'at once',
  reportsDir: 'at once',
  reportsReadableBy: 'at once',
  webhooks: 'at once',
  retention: 'at once',
  audit: { gracePeriod: 'at once', paramsMaxBytes: 'by commands', expected: 'by commands' },
  alerts: 'at once',
  evidence: 'at once',
  admin: 'by commands',
  minter: 'at once',
  api: {
    listen: 'after a restart',
    maxQueued: 'at once',
    maxAhead: 'at once',
    sharePercent: 'at once',
    metricTags: 'at once',
    tokens: 'at once',
    pomerium: 'at once',
  },
  worker: {
    concurrency: 'after a restart',
    toolConcurrency: 'at once',
    drainTimeout: 'at once',
    lockTimeout: 'after a restart',
  },
  log: 'at once',
}

const TABLE: Record<string, Takes | Record<string, Takes>> = TAKES

/** The same for a key as it is written with dots; of a section, what holds for all of its keys. */
export function takesOf(key: string): Takes | '' {
  const [section = '', inner = ''] = key.split('.')
  const takes = TABLE[section]
  return typeof takes === 'object' ? (takes[inner] ?? '') : (takes ?? '')
}

/** What is in force in a process that was started with one configuration and has read another: that one, with what takes a restart as it was. */
export function inForce(started: Config, read: Config): Config {
  const asked = Object.entries({ ...read, api: read.api ?? withoutCallers(started.api) })
  const before: Record<string, unknown> = { ...started }
  return Object.assign({}, read, Object.fromEntries(asked.map(([key, value]) => [key, kept(TABLE[key], before[key], value)])))
}

/** Without the section nobody may call, though the process still listens. */
const withoutCallers = (api: Config['api']): Config['api'] => api && { ...api, tokens: {}, pomerium: undefined }

function kept(takes: Takes | Record<string, Takes> | undefined, before: unknown, now: unknown): unknown {
  if (takes === 'after a restart') return before
  if (typeof takes !== 'object') return now
  if (!isObject(before) || !isObject(now)) return before
  const later = Object.keys(takes).filter((inner) => takes[inner] === 'after a restart')
  return { ...now, ...Object.fromEntries(later.map((inner) => [inner, before[inner]])) }
}

/** Remarks on the file, and no key of it. */
const NOTES = 'notes'

/** Keys, and keys of sections, whose values differ. */
export function differences(before: object, after: object): string[] {
  const [old, now]: Record<string, unknown>[] = [{ ...before }, { ...after }]
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => key !== NOTES)
  return keys.flatMap((key) => {
    const [one, other] = [old?.[key], now?.[key]]
    if (isDeepStrictEqual(one, other)) return []
    return isObject(one) && isObject(other) ? differences(one, other).map((inner) => `${key}.${inner}`) : [key]
  })
}
