import { nearest } from '../lib/near.ts'
import type { FileIssue } from '../lib/yaml/file.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** The environment of this process; nothing else reads it. */
export const environment: Environment = process.env

/** `$${` is a text of its own; any other `${` begins a variable, in one of the two forms or in one that is not known. */
const VARIABLE = /\$(\$\{)|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g

/** A variable of shells: it would be taken for the text itself. */
const BARE = /^\$[A-Z_][A-Z0-9_]*$/

/** A variable of templates, as the whole of a value or in a text without spaces: an address, a path. */
const BRACES = /^[^\s{}]{0,200}\{\{ ?[$.]?([A-Z_][A-Z0-9_]*) ?\}\}[^\s{}]*$/

/**
 * Puts `${VAR}` and `${VAR:-default}` in; `$${` stands for `${`. A variable that is not set, or is empty, and has no default is an error that says so, and so is any other form of
 * shells and Compose: it would be taken for the text itself.
 */
export function substitute(value: string, env: Environment): string {
  if (BARE.test(value)) throw new Error(`is ${value}, which is no variable here; write \${${value.slice(1)}}`)
  const [, inBraces] = BRACES.exec(value) ?? []
  if (inBraces !== undefined) throw new Error(`has {{ ${inBraces} }}, which is no variable here; write \${${inBraces}}`)
  return value.replace(VARIABLE, (_, literal: string | undefined, name: string | undefined, fallback: string | undefined) => {
    if (literal !== undefined) return literal
    if (name === undefined)
      throw new Error('has a ${ that is no variable; write ${NAME} or ${NAME:-default}, or $${ for the characters themselves')
    const found = env[name]
    if (found !== undefined && found !== '') return found
    if (fallback !== undefined) return fallback
    const meant = nearest(name, namesSet(env))
    throw new Error(
      `uses the variable ${name}, which is not set; ${meant === undefined ? 'set it' : `did you mean ${meant}? Or set it`}, or write \${${name}:-default}`,
    )
  })
}

/** The names of the variables that are set. */
export const namesSet = (env: Environment) => Object.keys(env).filter((one) => env[one] !== undefined && env[one] !== '')

const ANY_NAME = /(\w{1,40}): "\$\{NAME\}", where NAME is an environment variable that you set/

/** Where a cure names any variable, the one that is set and called after the field, if there is such: `REPORTS_TOKEN` for the token of `accounts.reports`. */
export function proposeVariable(issue: FileIssue, env: Environment): FileIssue {
  const [, key = ''] = ANY_NAME.exec(issue.message) ?? []
  if (key === '') return issue
  const wanted = `${issue.field.split('.').at(-1)}_${key}`.replaceAll(/\W/g, '_').toUpperCase()
  const name = nearest(wanted, namesSet(env))
  return name === undefined
    ? issue
    : { ...issue, message: issue.message.replace(ANY_NAME, () => `${key}: "\${${name}}", a variable that is set`) }
}
