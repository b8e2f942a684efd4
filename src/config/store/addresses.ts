import { Failure } from '../../core/failure.ts'
import type { Environment } from '../environment.ts'
import type { ConfigValues } from '../schema.ts'
import { given, withPassword } from '../secrets.ts'

/** The addresses of Postgres and Redis in a configuration file, or in the environment in their place. `placeOf` says where a key stands. */
interface Addressed {
  values: Pick<ConfigValues, 'databaseUrl' | 'databasePasswordFile' | 'redisUrl'>
  placeOf: (key: string) => string
  env: Environment
}

/** Postgres of one's own, with its password; undefined: the embedded one. Throws `CONFIG_INVALID`. */
export const databaseAddress = ({ values, placeOf, env }: Addressed): string | undefined =>
  withPassword(
    written(values.databaseUrl, 'DATABASE_URL', ['postgres:', 'postgresql:'], placeOf('databaseUrl'), env),
    values.databasePasswordFile,
  )

/** Redis of the queue; undefined: the queue is in Postgres. Throws `CONFIG_INVALID`. */
export function redisAddress({ values, placeOf, env }: Addressed): string | undefined {
  const url = written(values.redisUrl, 'REDIS_URL', ['redis:', 'rediss:'], placeOf('redisUrl'), env)
  if (url === undefined) return undefined
  const address = new URL(url)
  const kept = [...address.searchParams].filter(([name]) => OF_REDIS.has(name))
  if (kept.length === address.searchParams.size) return url
  address.search = String(new URLSearchParams(kept))
  return address.href
}

/** What Redis may be told of the way there. Its client would take any other of its own settings from an address, such as its bounds and a prefix of all keys, in place of ours. */
const OF_REDIS = new Set(['db', 'family'])

/** False when a part of a password seems to stand where the host ends: it would be looked up, and shown. */
const isWhole = ({ protocol, pathname, hash }: URL) =>
  hash === '' && (protocol.startsWith('redis') ? /^\/?\d*$/.test(pathname) : !pathname.includes('@'))

/** The address itself. `CONFIG_INVALID` for one of another scheme or none, without its text: it may hold a password. */
function written(
  inFile: string | undefined,
  variable: string,
  schemes: readonly string[],
  place: string,
  env: Environment,
): string | undefined {
  const url = given(inFile) ?? given(env[variable])
  if (url === undefined || (URL.canParse(url) && schemes.includes(new URL(url).protocol) && isWhole(new URL(url)))) return url
  throw new Failure({
    code: 'CONFIG_INVALID',
    message: `${given(inFile) === undefined ? `The variable ${variable}` : place} is no address of the form ${schemes.map((scheme) => `${scheme}//host:port`).join(' or ')}.`,
    cure: `Correct it, or take it out; a port goes up to 65535, in a password each special character is written with % and its code${schemes.includes('redis:') ? ', and a database of Redis is a number' : ''}.`,
  })
}
