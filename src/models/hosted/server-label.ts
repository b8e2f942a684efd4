import { createHash } from 'node:crypto'

const PLAIN = /^[a-z][a-z0-9_]{0,63}$/
const MAX = 64
const HASH = 8

/**
 * The provider's label of a server: `[a-zA-Z][a-zA-Z0-9_]{0,63}`, unique whatever the case. Made from the name alone, so that it does not
 * change with the other servers of a job; a name that had to be changed gets a hash, so that two names never share a label.
 */
export function serverLabel(name: string): string {
  if (PLAIN.test(name)) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH)
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9_]/g, '_')
    .replace(/^(?=[^a-z])/, 's')
  return `${plain.slice(0, MAX - HASH - 1)}_${hash}`
}

/** Gives back the name of a server from its label in this protocol; a label that is none of ours stays. */
export function createServerNames(servers: readonly string[]): (label: string) => string {
  const byLabel = new Map(servers.map((name) => [serverLabel(name), name]))
  return (label) => byLabel.get(label) ?? label
}
