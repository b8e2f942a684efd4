import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** The value as canonical JSON (RFC 8785): equal values give equal text. */
export const canonicalJson = (value: unknown): string => canonicalize(value) ?? 'null'

/** `sha256:` and the hex digest of the value as canonical JSON. */
export const digestOf = (value: unknown): string => `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`
