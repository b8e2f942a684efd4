import { statSync } from 'node:fs'
import { secretLines } from '../lib/secret-lines.ts'
import type { FileIssue } from '../lib/yaml/file.ts'

/** A key that holds a secret, with a value that no variable puts in. */
const WRITTEN_OUT = /^[^#]{0,400}\b(token|apiKey|api_key|secret): {0,20}["']?[^\s"'${},]{8}/

/** The lines of a configuration that hold a secret itself, when others than its owner can read the file. */
export function readableSecrets(file: string, text: string): FileIssue[] {
  if (!isReadableByOthers(file)) return []
  const shaped = secretLines(text).map(({ line, what }): [number, string] => [line, what])
  const keyed = text.split('\n').flatMap((line, at): [number, string][] => {
    const [, key] = WRITTEN_OUT.exec(line) ?? []
    return key === undefined ? [] : [[at + 1, `the ${key} itself`]]
  })
  return [...new Map([...keyed, ...shaped])].map(([line, what]) => ({
    line,
    field: '',
    message: `has what looks like ${what}, and others on this machine can read the file; write \${NAME} and set the variable, name a file with the secret, or take the reading away: chmod 600`,
  }))
}

const BY_GROUP_OR_OTHERS = 0o044

function isReadableByOthers(file: string): boolean {
  try {
    return (statSync(file).mode & BY_GROUP_OR_OTHERS) !== 0
  } catch {
    return false
  }
}
