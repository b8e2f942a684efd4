// @ts-nocheck
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** `sha256:` and the hex digest of the value as canonical JSON (RFC 8785). */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256')
    .update(canonicalize(value) ?? 'null')
    .digest('hex')}`
}
