import { readFileSync } from 'node:fs'
import { Failure, messageOf } from '../../core/failure.ts'
import type { RunView } from '../../core/view.ts'
import { loadDefinitions, loadEvents } from '../../store/audit/evidence.ts'
import type { Db } from '../../store/postgres/db.ts'
import type { Keep } from '../../store/retention.ts'
import { loadContent } from '../../store/contents.ts'
import { sizeText } from '../../lib/text.ts'
import { exportBundle, runEntries, verifyBundle, type BundledContent, type Verdict } from './bundle.ts'
import { parseCheckpoint, type Checkpoint, type SignedNow } from './chain.ts'
import { takeCheckpoint, type CheckpointOptions } from './checkpoint.ts'
import { proveRun } from './proof.ts'
import { openSigningKey, readPublicKey } from './keys.ts'
import { readMemory, type Link } from './memory.ts'
import { openSigner, type SignerFiles } from './signer.ts'
import { verifyStore } from './verify.ts'
import type { StoreVerdict } from './verify/verdict.ts'

/** Most bytes of results in one file, which is one text. */
const MOST_CONTENT_BYTES = 209_715_200

/**
 * All that is known of a run, as the text of one file, signed with the key of the deployment; and why it has no proof, where it has none. With `contents` also the whole of
 * results that are larger than their rows show, which else are named by their digests, with what is wrong with them: `COMMAND_INVALID` where they are too many for one file.
 */
export async function exportRun(
  db: Db,
  run: RunView,
  keyFile: string,
  { contents = false }: { contents?: boolean } = {},
): Promise<{ text: string; unproved?: string; faults: string[] }> {
  const [definitions, events] = [await loadDefinitions(db, run.id), await loadEvents(db, run.id)]
  const { found, faults } = contents ? await contentsOf(db, run) : { found: undefined, faults: [] }
  const evidence = { run, definitions, events, contents: found }
  const proof = await proveRun(db, run.id, runEntries(evidence))
  const key = openSigningKey(keyFile)
  if ('why' in proof) return { text: exportBundle(evidence, key), unproved: proof.why, faults }
  return { text: exportBundle({ ...evidence, inclusion: proof }, key), faults }
}

async function contentsOf(db: Db, { id, toolCalls }: RunView): Promise<{ found: BundledContent[]; faults: string[] }> {
  const kept = toolCalls.flatMap(({ result }) => [...(result?.kept ? [result.kept] : []), ...(result?.images ?? [])])
  const digests = new Map(kept.map(({ digest, bytes }) => [digest, bytes]))
  const bytes = [...digests.values()].reduce((sum, one) => sum + one, 0)
  if (bytes > MOST_CONTENT_BYTES)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The results that ${id} keeps have ${sizeText(bytes)}: more than one file holds.`,
      cure: 'Export it without --with-contents, and write the results one by one with show --result and --out: the file has their digests.',
    })
  const found: BundledContent[] = []
  const faults: string[] = []
  for (const digest of digests.keys()) {
    const content = await loadContent(db, digest)
    if (!content) faults.push(`the result ${digest} is not kept any more`)
    else found.push({ digest, mediaType: content.mediaType, base64: content.content.toString('base64') })
    if (content && !content.intact) faults.push(`what is kept of the result ${digest} was changed, and the file will not be found genuine`)
  }
  return { found, faults }
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
