import { readFileSync } from 'node:fs'
import { Failure, messageOf } from '../../core/failure.ts'
import type { RunView } from '../../core/view.ts'
import { loadDefinitions, loadEvents } from '../../store/audit/evidence.ts'
import type { Db } from '../../store/postgres/db.ts'
import type { Keep } from '../../store/retention.ts'
import { exportBundle, verifyBundle, type Verdict } from './bundle.ts'
import { parseCheckpoint, type Checkpoint, type SignedNow } from './chain.ts'
import { takeCheckpoint, type CheckpointOptions } from './checkpoint.ts'
import { openSigningKey, readPublicKey } from './keys.ts'
import { openSigner, type SignerFiles } from './signer.ts'
import { verifyStore } from './verify.ts'
import type { StoreVerdict } from './verify/verdict.ts'

/** All that is known of a run, as the text of one file, signed with the key of the deployment. */
export async function exportRun(db: Db, run: RunView, keyFile: string): Promise<string> {
  const [definitions, events] = [await loadDefinitions(db, run.id), await loadEvents(db, run.id)]
  return exportBundle({ run, definitions, events }, openSigningKey(keyFile))
}

/** Checks an exported file with a public key alone. `COMMAND_INVALID` when the file cannot be read, `KEY_INVALID` when the key cannot. */
export function verifyExport(file: string, publicKey: string): Verdict {
  const key = readPublicKey(publicKey)
  try {
    return verifyBundle(readFileSync(file), key)
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

/** Checks all runs of the store against its checkpoints, and those against checkpoints that were kept elsewhere. */
export async function verifyRuns(db: Db, publicKey: string, anchorFiles: readonly string[], keep: Keep): Promise<StoreVerdict> {
  return verifyStore(db, readPublicKey(publicKey), anchorFiles.map(readAnchor), keep)
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
