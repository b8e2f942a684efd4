// What of a configuration file leads to the store, read on its own: who stops things or looks at them needs no more, and does not wait for a file that is half edited.
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../core/failure.ts'
import { isObject } from '../../lib/json/object.ts'
import { nearest } from '../../lib/near.ts'
import { parseYaml } from '../../lib/yaml/file.ts'
import { substitute } from '../environment.ts'
import { configFile, loadConfig, readConfig, type Config, type LoadConfigOptions } from '../load.ts'
import { configSchema, RENAMED } from '../schema.ts'
import { given } from '../secrets.ts'
import { databaseAddress } from './addresses.ts'

/** Where the store is, and where the job files are. */
export type StorePlace = Pick<Config, 'databaseUrl' | 'dataDir' | 'jobsDir'>

export interface FoundStore {
  place: StorePlace
  /** The configuration, unless its file has a fault. */
  config: Config | undefined
  /** The fault of the file, with file and line. */
  fault: Failure | undefined
}

const { databaseUrl, databasePasswordFile, dataDir, jobsDir } = configSchema.shape
const placeSchema = z.looseObject({ databaseUrl, databasePasswordFile, dataDir, jobsDir })
const KEYS = Object.keys(placeSchema.shape)

/**
 * Reads the configuration file; where it has a fault elsewhere, the keys alone that lead to the store, with that fault. Throws the fault where they are not beyond doubt: the
 * file is no YAML, one of them is wrong, or a key of it looks like one of them, so that another store could be meant.
 */
export function findStore(options: LoadConfigOptions): FoundStore {
  try {
    const config = loadConfig(options)
    return { place: config, config, fault: undefined }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const place = readPlace(options)
    if (place === undefined) throw error
    return { place, config: undefined, fault: error }
  }
}

function readPlace({ file: named, env }: LoadConfigOptions): StorePlace | undefined {
  const file = configFile({ file: named, env })
  const parsed = parseYaml(readConfig(file), placeSchema, {
    substitute: (value, section) => (KEYS.includes(section) ? substitute(value, env) : value),
    renamed: RENAMED,
  })
  if (!parsed.ok || isDoubtful(parsed.value)) return undefined
  const { value } = parsed
  const path = (one: string) => resolve(dirname(resolve(file)), one)
  const passwordFile = given(value.databasePasswordFile)
  return {
    databaseUrl: databaseAddress({
      values: { databaseUrl: value.databaseUrl, databasePasswordFile: passwordFile === undefined ? undefined : path(passwordFile) },
      placeOf: (key) => `${file}:${parsed.place.lineOf([key])}: ${key}`,
      env,
    }),
    dataDir: path(value.dataDir),
    jobsDir: path(value.jobsDir),
  }
}

const KNOWN = new Set(Object.keys(configSchema.shape))

/** A key at the top looks like one of the store, or one of the store stands below another key. Where the file has no address of one, also what may be one under another name. */
function isDoubtful(file: Record<string, unknown>): boolean {
  const isNamed = given(z.string().optional().catch(undefined).parse(file['databaseUrl'])) !== undefined
  return Object.entries(file).some(([key, value]) => {
    const isKnown = KNOWN.has(key)
    if ((!isKnown && isLike(key)) || holds(value, { key: isLike })) return true
    return !isNamed && !KEYS.includes(key) && holds({ [key]: value }, { text: isKnown ? isAddress : isPlace })
  })
}

/** `DATABASE_URL` is one of them too. */
const isLike = (key: string): boolean => nearest(key.replaceAll(/[^a-z]/gi, ''), KEYS) !== undefined

const isAddress = (text: string): boolean => /postgres(?:ql)?:\/\//i.test(text)
/** An address, a directory, or a variable that may be either. */
const isPlace = (text: string): boolean => /[/\\]|\$\{/.test(text)

/** Some key, or some text, is of that kind. The parser lets nothing through that is nested deeply. */
function holds(value: unknown, kind: { key?: (key: string) => boolean; text?: (text: string) => boolean }): boolean {
  if (typeof value === 'string') return kind.text?.(value) ?? false
  if (Array.isArray(value)) return value.some((one) => holds(one, kind))
  return isObject(value) && Object.entries(value).some(([key, inner]) => kind.key?.(key) || kind.text?.(key) || holds(inner, kind))
}
