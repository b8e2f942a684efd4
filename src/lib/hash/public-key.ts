import { createHash, createPublicKey, type KeyObject } from 'node:crypto'

/** The public half of a key, given as PEM or as an object: SPKI DER in base64url. */
export const publicKeyOf = (key: string | KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64url')

const ID_DIGITS = 16

/** A key by name: the beginning of the SHA-256 of its public half (SPKI DER), in hexadecimal. */
export const keyIdOf = (publicKey: string): string =>
  createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex').slice(0, ID_DIGITS)
