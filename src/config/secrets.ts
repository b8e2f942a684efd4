import { Failure, messageOf } from '../core/failure.ts'
import { MIN_SECRET_LENGTH } from '../lib/redact.ts'
import { readAtOnce } from '../lib/files/read-at-once.ts'
import { showFault, variableAt } from './places.ts'

/** An empty text means "not set", so that `${DATABASE_URL:-}` chooses the default. */
export const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

/** Reads a secret that is given as text or as a file. Trailing newlines, which editors add, are not part of it. */
export function readSecret(what: string, value: string | undefined, file: string | undefined): string | undefined {
  if (file === undefined) return given(value)
  try {
    const text = readAtOnce(file).replace(/(?<![\r\n])[\r\n]+$/, '')
    if (text === '') throw new Error('it is empty')
    return text
  } catch (cause) {
    throw new Failure({ code: 'CONFIG_INVALID', message: `${what}: the file ${file} cannot be used: ${messageOf(cause)}.`, cause })
  }
}

/** The connection string with the password of a file in it. */
export function withPassword(url: string | undefined, file: string | undefined): string | undefined {
  const password = readSecret('databasePasswordFile', undefined, file)
  if (url === undefined || password === undefined) return url
  const target = new URL(url)
  // Without a host, a URL takes no password.
  if (target.host === '')
    throw new Failure({
      code: 'CONFIG_INVALID',
      message:
        'databasePasswordFile needs a databaseUrl with a host, of the form postgres://user@host:5432/database; this one has another form.',
    })
  target.password = encodeURIComponent(password)
  return target.href
}

interface Providers {
  providers: Readonly<Record<string, { apiKey?: string | undefined; apiKeyFile?: string | undefined }>>
}

/** The key of a provider. `CONFIG_INVALID` when its file cannot be read, or holds less than a key. */
export function providerKey({ providers }: Providers, name: string): string | undefined {
  const { apiKey, apiKeyFile } = providers[name] ?? {}
  const key = readSecret(`providers.${name}`, apiKey, apiKeyFile)
  if (key === undefined || key.length >= MIN_SECRET_LENGTH) return key
  throw new Failure({
    code: 'CONFIG_INVALID',
    message: `providers.${name}.apiKeyFile: the key in ${apiKeyFile} has fewer than ${MIN_SECRET_LENGTH} characters, and cannot be told from words.`,
    cure: `Give the server a longer key, or take providers.${name}.apiKeyFile out where none is wanted.`,
  })
}

/** Where a secret is to be put: the setting that is in force, with the file or the variable that it names. `path` is that of the key for the text itself, `file` what is under the same key with `File` behind it. */
export function secretPlace(config: object, path: readonly string[], file: string | undefined): string {
  const key = path.join('.')
  if (file !== undefined) return `the file ${file} (${key}File)`
  const variable = variableAt(config, path)
  return variable === undefined ? key : `the variable ${variable} (${key}), and start again`
}

/** What to do about a key that a provider does not accept. */
export const refusedKeyCure = (config: Providers, name: string): string =>
  `Put a key that the provider accepts into ${secretPlace(config, ['providers', name, 'apiKey'], config.providers[name]?.apiKeyFile)}.`

/** That a provider has no key, with the place, and what to do; undefined when it has one. */
export function missingKey(config: Providers, name: string): { fault: string; cure: string } | undefined {
  if (providerKey(config, name) !== undefined) return undefined
  const path = ['providers', name, 'apiKey']
  const variable = variableAt(config, path)
  if (variable === undefined)
    return {
      fault: showFault(config, path, 'is not set'),
      cure: `Write ${path.join('.')}, with the variable that has the key, or apiKeyFile.`,
    }
  return { fault: showFault(config, path, `is empty: the variable ${variable} is not set`), cure: `Set the variable ${variable}.` }
}

/** `CONFIG_INVALID` when the key of a provider cannot be read: a fault where runs are done. Other parts need no key, and a deployment gives them none. */
export function requireProviderKeys(config: Providers): void {
  for (const name of Object.keys(config.providers)) providerKey(config, name)
}
