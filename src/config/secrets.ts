import { Failure, messageOf } from '../core/failure.ts'
import { readAtOnce } from '../lib/files/read-at-once.ts'

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
