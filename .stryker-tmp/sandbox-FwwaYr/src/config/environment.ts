// @ts-nocheck
export type Environment = Readonly<Record<string, string | undefined>>

/** The environment of this process; nothing else reads it. */
export const environment: Environment = process.env

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

/** Puts `${VAR}` and `${VAR:-default}` in. A variable that is not set, or is empty, and has no default is an error that says so. */
export function substitute(value: string, env: Environment): string {
  return value.replace(VARIABLE, (_, name: string, fallback: string | undefined) => {
    const found = env[name]
    if (found !== undefined && found !== '') return found
    if (fallback !== undefined) return fallback
    throw new Error(`uses the variable ${name}, which is not set; set it, or write \${${name}:-default}`)
  })
}
