import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Failure, messageOf } from '../../core/failure.ts'

export interface SigningKey {
  /** SPKI DER in base64url. */
  publicKey: string
  sign(text: string): string
}

/** Reads the deployment's Ed25519 key, or makes it, readable by its owner alone, with its public half in `.pub` beside it. */
export function openSigningKey(file: string): SigningKey {
  try {
    if (!existsSync(file)) makeKey(file)
    const key = createPrivateKey(readFileSync(file))
    if (key.asymmetricKeyType !== 'ed25519') throw new Error('it is not an Ed25519 key')
    return { publicKey: encode(createPublicKey(key)), sign: (text) => sign(null, Buffer.from(text), key).toString('base64url') }
  } catch (cause) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The key ${file} cannot be used: ${messageOf(cause)}.`,
      cure: 'Correct evidence.keyFile, or remove the file to make a new key.',
      cause,
    })
  }
}

/** What of the key's file is secret, a text each; none where there is no file that this process can read. */
export function signingKeyTexts(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split(/\r?\n/)
      .filter((line) => line !== '' && !line.startsWith('-----'))
  } catch {
    return []
  }
}

function makeKey(file: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' })
  chmodSync(file, 0o600)
  writeFileSync(`${file}.pub`, publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o644 })
}

const encode = (key: KeyObject) => key.export({ type: 'spki', format: 'der' }).toString('base64url')

/** Reads a public key from a PEM file. Returns it as bundles name it. */
export function readPublicKey(file: string): string {
  if (!existsSync(file))
    throw new Failure({
      code: 'KEY_INVALID',
      message: `There is no public key ${file}.`,
      cure: 'Name the .pub file of the deployment with --key; it is made with the first export or checkpoint.',
    })
  try {
    return encode(createPublicKey(readFileSync(file)))
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
