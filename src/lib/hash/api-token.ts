import { randomBytes } from 'node:crypto'
import { sha256Hex } from './chain.ts'

/** A new API token, and the digest by which the configuration knows it. */
export function makeApiToken(): { token: string; sha256: string } {
  const token = `nsk_${randomBytes(32).toString('base64url')}`
  return { token, sha256: sha256Hex(token) }
}
