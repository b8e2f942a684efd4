import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** An entry of a hash chain: its hash covers what it says and the hash before it. */
export interface ChainEntry {
  seq: number
  kind: string
  data: unknown
  previous: string
  hash: string
}

/** What the first entry has before it. */
export const GENESIS = '0'.repeat(64)

/** Canonical JSON (RFC 8785) of a value: the same text for the same value, whoever writes it. */
export function canonicalText(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new Error('the value has no JSON')
  return text
}

export const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex')

const hashOf = ({ seq, kind, data, previous }: Omit<ChainEntry, 'hash'>) => sha256Hex(canonicalText({ seq, kind, data, previous }))

/** Chains entries in their order. */
export function chainOf(items: readonly { kind: string; data: unknown }[]): ChainEntry[] {
  let previous = GENESIS
  return items.map(({ kind, data }, seq) => {
    const hash = hashOf({ seq, kind, data, previous })
    const entry = { seq, kind, data, previous, hash }
    previous = hash
    return entry
  })
}

/** The hash of the last entry. */
export const headOf = (entries: readonly ChainEntry[]): string => entries.at(-1)?.hash ?? GENESIS

/** What is wrong with a chain; undefined when each entry follows from the one before. */
export function chainFault(entries: readonly ChainEntry[]): string | undefined {
  let previous = GENESIS
  for (const [seq, entry] of entries.entries()) {
    if (entry.seq !== seq) return `entry ${seq} says it is entry ${entry.seq}`
    if (entry.previous !== previous) return `entry ${seq} does not follow the entry before it`
    if (entry.hash !== hashOf(entry)) return `entry ${seq} (${entry.kind}) is not what was hashed`
    previous = entry.hash
  }
  return undefined
}
