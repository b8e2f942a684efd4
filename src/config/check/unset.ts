import { Failure } from '../../core/failure.ts'
import { showLine } from '../../lib/text.ts'
import { nearest } from '../../lib/near.ts'
import { namesSet, type Environment } from '../environment.ts'
import { configFile, loadConfig, readConfig, type Config, type LoadConfigOptions } from '../load.ts'
import { placesOf, rememberPlaces } from '../places.ts'

/**
 * The configuration for who only checks files and uses none of it, such as an author's laptop or CI, which have no secrets: a variable that is not set is a note, and something
 * stands in its place. Throws as `loadConfig` where anything else is wrong.
 */
export function loadToCheck(options: LoadConfigOptions): Config {
  try {
    return loadConfig(options)
  } catch (error) {
    const file = configFile(options)
    const unset = error instanceof Failure ? unsetIn(readConfig(file), options.env) : []
    if (unset.length === 0) throw error
    return withStandIns(options, file, unset) ?? raise(error)
  }
}

const raise = (error: unknown): never => {
  throw error
}

interface Unset {
  name: string
  line: number
  standIn: string
}

function withStandIns(options: LoadConfigOptions, file: string, unset: readonly Unset[]): Config | undefined {
  try {
    const config = loadConfig({
      ...options,
      env: { ...options.env, ...Object.fromEntries(unset.map(({ name, standIn }) => [name, standIn])) },
    })
    const notes = unset.map(({ name, line }) =>
      showLine(`${file}:${line}: the variable ${name} is not set here; ${meantBy(name, options.env)}nightshift start refuses without it`),
    )
    const checked = { ...config, notes: [...config.notes, ...notes] }
    const written = placesOf(config)
    if (written) rememberPlaces(checked, written)
    return checked
  } catch {
    return undefined
  }
}

function meantBy(name: string, env: Environment): string {
  const near = nearest(name, namesSet(env))
  return near === undefined ? '' : `did you mean ${near}? `
}

/** A key with its value, up to the variable in it, and what follows that. `$${` is no variable. */
const USED = /(?:(\w{1,60}): {0,20}["']?)?(?<!\$)\$\{([A-Za-z_]\w{0,200})\}(["']?[ ,}\]])?/g

/** The variables without a default that are not set, each at its first place. */
function unsetIn(text: string, env: Environment): Unset[] {
  const found = new Map<string, Unset>()
  for (const [at, line] of text.split('\n').entries()) {
    for (const [, key, name = '', end] of `${withoutComment(line)} `.matchAll(USED))
      if ((env[name] ?? '') === '' && !found.has(name))
        found.set(name, { name, line: at + 1, standIn: key === undefined || end === undefined ? WORD : standInOf(key) })
  }
  return [...found.values()]
}

/** A quote behind the sign of a comment may end a text that the sign is a part of. */
function withoutComment(line: string): string {
  const from = ` ${line}`.search(/\s#/)
  const isText = line.slice(0, from).trim() !== '' && /["']/.test(line.slice(from))
  return from === -1 || isText ? line : line.slice(0, from)
}

/** As long as a key has to be. */
const WORD = 'not-set-here'

function standInOf(key: string): string {
  if (key === 'databaseUrl') return 'postgres://not-set.invalid/none'
  if (key === 'redisUrl') return 'redis://not-set.invalid:6379'
  return /url$/i.test(key) ? 'https://not-set.invalid' : WORD
}
