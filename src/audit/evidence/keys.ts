import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Failure, messageOf } from '../../core/failure.ts'
import { giveToOwnerOfDirectory } from '../../lib/files/owner.ts'
import { readAtOnce } from '../../lib/files/read-at-once.ts'
import { publicKeyOf } from '../../lib/hash/public-key.ts'

export interface SigningKey {
  /** SPKI DER in base64url. */
  publicKey: string
  sign(text: string): string
}

/** Where the public half of a deployment's key is. */
export const publicKeyFile = (keyFile: string): string => `${keyFile}.pub`

/** Makes an Ed25519 key, readable by its owner alone, with its public half in `.pub` beside it. `COMMAND_INVALID` where there is one. */
export function createSigningKey(file: string): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx', flush: true })
    chmodSync(file, 0o600)
    giveToOwnerOfDirectory(file)
    writePublicHalf(file, publicKey)
  } catch (cause) {
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The key ${file} cannot be made: ${messageOf(cause)}.`,
      cure: existsSync(file)
        ? 'There is one already; another takes its place with nightshift evidence key rotate.'
        : 'Name a file with evidence.keyFile whose directory this user may write.',
      cause,
    })
  }
  return openSigningKey(file)
}

/** Reads the deployment's key. `CONFIG_INVALID` when there is none: it is made by a command of its own, and never on the way. */
export function openSigningKey(file: string): SigningKey {
  try {
    const key = createPrivateKey(readAtOnce(file))
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is not an Ed25519 key')
    return { publicKey: publicKeyOf(key), sign: (text) => sign(null, Buffer.from(text), key).toString('base64url') }
  } catch (cause) {
    const none = !existsSync(file)
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: none ? `There is no key ${file} to sign evidence with.` : `The key ${file} cannot be used: ${messageOf(cause)}.`,
      cure: none
        ? 'Where another host or a copy has it, bring that one here, with its .pub and what it remembers (evidence.memoryFile). Only a deployment that never had one makes it, once: nightshift evidence key create.'
        : 'Correct evidence.keyFile, or the right to read it.',
      cause,
    })
  }
}

const writePublicHalf = (file: string, publicKey: KeyObject) => writePem(publicKeyFile(file), publicKey)

function writePem(file: string, publicKey: KeyObject): void {
  writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644, flush: true })
  giveToOwnerOfDirectory(file)
}

/** Keeps the public half of a key that goes, under the key's own name. Returns where. */
export function keepPublicHalf(keyFile: string, id: string): string {
  const file = `${keyFile}.${id}.pub`
  writePem(file, createPublicKey(readAtOnce(keyFile)))
  return file
}

/** Puts one key, with its public half, in the place of another. Doing it again after a crash does what is left of it. */
export function replaceSigningKey(file: string, by: string): void {
  writePublicHalf(file, createPublicKey(readAtOnce(by)))
  renameSync(by, file)
  rmSync(publicKeyFile(by), { force: true })
}

/** What of the key's file is secret, a text each; none where there is no file that this process can read. */
export function signingKeyTexts(file: string): string[] {
  try {
    return readAtOnce(file)
      .split(/\r?\n/)
      .filter((line) => line !== '' && !line.startsWith('-----'))
  } catch {
    return []
  }
}

/** Reads a public key from a PEM file. Returns it as bundles name it. */
export function readPublicKey(file: string): string {
  if (!existsSync(file))
    throw new Failure({
      code: 'KEY_INVALID',
      message: `There is no public key ${file}.`,
      cure: 'Bring it back from its copy, beside the key, or name the copy with --key; from the key itself openssl pkey -pubout makes it. A new key (nightshift evidence key create) is for a deployment that never had one: it does not follow what another signed.',
    })
  try {
    return publicKeyOf(readAtOnce(file))
  } catch (cause) {
    throw new Failure({
      code: 'KEY_INVALID',
      message: `The public key ${file} cannot be used: ${messageOf(cause)}.`,
      cause,
    })
  }
}

/** True when the text was signed with the private half. Any other spelling of the signature counts as another signature. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64url')
  if (bytes.toString('base64url') !== signature) return false
  try {
    return verify(
      null,
      Buffer.from(text),
      createPublicKey({ key: Buffer.from(publicKey, 'base64url'), type: 'spki', format: 'der' }),
      bytes,
    )
  } catch {
    return false
  }
}
