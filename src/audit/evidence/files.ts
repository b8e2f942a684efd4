import { readFileSync } from 'node:fs'
import { Failure, messageOf } from '../../core/failure.ts'
import type { RunView } from '../../core/view.ts'
import { loadDefinitions, loadEvents } from '../../store/audit/evidence.ts'
import type { Db } from '../../store/postgres/db.ts'
import type { Keep } from '../../store/retention.ts'
import { exportBundle, runEntries, verifyBundle, type Verdict } from './bundle.ts'
import { parseCheckpoint, type Checkpoint, type SignedNow } from './chain.ts'
import { takeCheckpoint, type CheckpointOptions } from './checkpoint.ts'
import { proveRun } from './proof.ts'
import { openSigningKey, readPublicKey } from './keys.ts'
import { readMemory, type Link } from './memory.ts'
import { openSigner, type SignerFiles } from './signer.ts'
import { verifyStore } from './verify.ts'
import type { StoreVerdict } from './verify/verdict.ts'

/** All that is known of a run, as the text of one file, signed with the key of the deployment; and why it has no proof, where it has none. */
export async function exportRun(db: Db, run: RunView, keyFile: string): Promise<{ text: string; unproved?: string }> {
  const [definitions, events] = [await loadDefinitions(db, run.id), await loadEvents(db, run.id)]
  const evidence = { run, definitions, events }
  const proof = await proveRun(db, run.id, runEntries(evidence))
  const key = openSigningKey(keyFile)
  if ('why' in proof) return { text: exportBundle(evidence, key), unproved: proof.why }
  return { text: exportBundle({ ...evidence, inclusion: proof }, key) }
}

/**
 * Checks an exported file with a public key alone, and its proof against checkpoints that were kept outside, where there are any. `COMMAND_INVALID` when a file cannot be
 * read, `KEY_INVALID` when the key cannot.
 */
export function verifyExport(file: string, publicKey: string, anchorFiles: readonly string[]): Verdict {
  const key = readPublicKey(publicKey)
  const anchors = anchorFiles.map(readAnchor)
  const verdict = verifyBundle(readExport(file), key)
  if (!verdict.ok || anchors.length === 0) return verdict
  if (verdict.provenIn.some(({ hash }) => anchors.some((anchor) => anchor.hash === hash))) return verdict
  return { ok: false, why: 'it has no proof by a checkpoint that was kept outside' }
}

function readExport(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The file ${file} cannot be read: ${messageOf(cause)}.`,
      cure: 'Name an exported file.',
      cause,
    })
  }
}

/** Takes the next checkpoint, signed with the key of the deployment. Undefined when no run has ended since the last one. */
export const checkpoint = (db: Db, files: SignerFiles, options: CheckpointOptions): Promise<SignedNow | undefined> =>
  takeCheckpoint(db, openSigner(files), options)

/**
 * Checks all runs of the store against its checkpoints, and those against checkpoints that were kept elsewhere, and the one that the signer of this host remembers, where
 * its file can be read.
 */
export async function verifyRuns(
  db: Db,
  publicKey: string,
  anchorFiles: readonly string[],
  { keep, memoryFile }: { keep: Keep; memoryFile: string },
): Promise<StoreVerdict> {
  return verifyStore(db, readPublicKey(publicKey), [...anchorFiles.map(readAnchor), ...remembered(memoryFile)], keep)
}

function remembered(memoryFile: string): Link[] {
  try {
    const last = readMemory(memoryFile)?.last
    return last ? [last] : []
  } catch {
    return []
  }
}

function readAnchor(file: string): Checkpoint {
  try {
    return parseCheckpoint(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `${file} is no checkpoint: ${messageOf(cause).split('\n')[0] ?? ''}.`,
      cure: 'Name a file that evidence checkpoint wrote.',
      cause,
    })
  }
}
