import { existsSync } from 'node:fs'
import { loadDocuments } from '../../store/audit/evidence.ts'
import type { Db } from '../../store/postgres/db.ts'
import { followChain } from './chain.ts'
import { takeCheckpoint, type CheckpointOptions } from './checkpoint.ts'
import { createSigningKey, keepPublicHalf, openSigningKey, readPublicKey, replaceSigningKey } from './keys.ts'
import { keyIdOf } from '../../lib/hash/public-key.ts'
import { readMemory, type Memory } from './memory.ts'
import { beginMemory, openSigner, type SignerFiles } from './signer.ts'

/** A key as it is shown: nothing of it is secret. */
export interface KeyView {
  id: string
  publicKey: string
  memory: Memory | undefined
}

export function viewKey({ keyFile, memoryFile }: SignerFiles): KeyView {
  const { publicKey } = openSigningKey(keyFile)
  return { id: keyIdOf(publicKey), publicKey, memory: readMemory(memoryFile) }
}

/** Makes the deployment's key. `COMMAND_INVALID` where there is one. */
export function createKey(files: SignerFiles): KeyView {
  createSigningKey(files.keyFile)
  beginMemory(files)
  return viewKey(files)
}

/**
 * Puts a new key in the place of the old one: a checkpoint of the old key introduces it, and the first of the new one follows at once. The old public half is kept, for
 * bundles that it signed; its private half is gone. After a crash it goes on where it stopped.
 */
export async function rotateKey(
  db: Db,
  files: SignerFiles,
  log: CheckpointOptions['log'],
): Promise<KeyView & { oldPublicKeyFile: string }> {
  const { keyFile } = files
  const madeFile = `${keyFile}.next`
  const old = openSigner(files)
  const made = existsSync(madeFile) ? openSigningKey(madeFile) : createSigningKey(madeFile)
  const { keys } = followChain(await loadDocuments(db), old.publicKey)
  if (!keys.has(made.publicKey))
    await takeCheckpoint(db, old, { ...told(log), keys: { introduces: [made.publicKey], retires: [old.publicKey] } })
  const oldPublicKeyFile = keepPublicHalf(keyFile, keyIdOf(old.publicKey))
  replaceSigningKey(keyFile, madeFile)
  await takeCheckpoint(db, openSigner(files), { ...told(log), keys: { introduces: [], retires: [] } })
  return { ...viewKey(files), oldPublicKeyFile }
}

const told = (log: CheckpointOptions['log']) => (log ? { log } : {})

/** Says in the chain that another key may sign beside this one, or that one may not any more. */
export async function changeKeys(
  db: Db,
  files: SignerFiles,
  change: 'introduces' | 'retires',
  publicKey: string,
): Promise<{ id: string; checkpoint: number | undefined }> {
  const key = readPublicKey(publicKey)
  const taken = await takeCheckpoint(db, openSigner(files), { keys: { introduces: [], retires: [], [change]: [key] } })
  return { id: keyIdOf(key), checkpoint: taken?.number }
}
