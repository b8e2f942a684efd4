import { z } from 'zod'
import { canonicalText, GENESIS, sha256Hex } from '../../lib/hash-chain.ts'
import { createBadRows, isOfRow, type BadRowLog } from '../../store/bad-rows.ts'
import type { Db } from '../../store/postgres/db.ts'
import {
  addCheckpoint,
  listPruned,
  listUncheckpointed,
  loadCheckpoints,
  loadDefinitions,
  type CheckpointedRun,
  type CheckpointRow,
} from '../../store/audit/evidence.ts'
import { loadRun } from '../../store/runs/show.ts'
import { runDigest } from './bundle.ts'
import { isSignedBy, type SigningKey } from './keys.ts'

const FORMAT = 'nightshift-checkpoint/1'

const documentSchema = z.strictObject({
  format: z.literal(FORMAT),
  number: z.int(),
  takenAt: z.string(),
  /** Hash of the checkpoint before. */
  previous: z.string(),
  /** Digest of the list of runs. */
  runs: z.string(),
  count: z.int(),
  publicKey: z.string(),
  hash: z.string(),
  signature: z.string(),
})

export type Checkpoint = z.output<typeof documentSchema>

/** How long after its end a run may still get late rows, such as the end of its last request. */
const SETTLED_MS = 5 * 60_000
const MOST_RUNS = 50_000

/** Takes a checkpoint of the runs that have ended since the last one. Undefined when there are none, or when the last one is younger than `everyMs`. Aborting leaves none. */
export async function takeCheckpoint(
  db: Db,
  key: SigningKey,
  { everyMs = 0, now = new Date(), signal, log }: { everyMs?: number; now?: Date; signal?: AbortSignal; log?: BadRowLog } = {},
): Promise<Checkpoint | undefined> {
  const rows = createBadRows({ db, duty: 'checkpoint', log })
  const row = await addCheckpoint(db, async (last) => {
    const before = last && documentSchema.safeParse(last.document)
    // One that was changed does not end the chain: verifying it names it, and what comes after it is signed all the same.
    if (last && before?.success === false) await rows.met(`checkpoint ${last.number}`, before.error)
    if (before?.success && now.getTime() - Date.parse(before.data.takenAt) < everyMs) return undefined
    const due = await listUncheckpointed(db, new Date(now.getTime() - SETTLED_MS), MOST_RUNS)
    if (due.length === 0) return undefined
    const runs: CheckpointedRun[] = []
    for (const { id, attempts } of due) {
      signal?.throwIfAborted()
      try {
        const digest = await digestOfRun(db, id, attempts)
        if (digest !== undefined) runs.push({ id, attempts, digest })
      } catch (error) {
        await rows.met(id, error)
      }
    }
    if (runs.length === 0) return undefined
    const about = {
      format: FORMAT,
      number: (last?.number ?? 0) + 1,
      takenAt: now.toISOString(),
      previous: last ? hashOf(last) : GENESIS,
      runs: sha256Hex(canonicalText(runs)),
      count: runs.length,
      publicKey: key.publicKey,
    } as const
    const hash = sha256Hex(canonicalText(about))
    return { runs, takenAt: now, document: { ...about, hash, signature: key.sign(hash) } satisfies Checkpoint }
  })
  return row && documentSchema.parse(row.document)
}

/** What the next checkpoint names as the one before it; of one that cannot be read, nothing. */
const hashOf = ({ document }: CheckpointRow): string => documentSchema.safeParse(document).data?.hash ?? ''

async function digestOfRun(db: Db, id: string, attempts: number): Promise<string | undefined> {
  const run = await loadRun(db, id)
  return run && runDigest({ run, definitions: await loadDefinitions(db, id) }, attempts)
}

export interface StoreVerdict {
  checkpoints: number
  runs: number
  intact: number
  /** Their content, or they themselves, were removed by retention. */
  pruned: number
  faults: string[]
}

/** Compares all runs with what the checkpoints say of them, and the checkpoints with each other and with those that were kept outside. */
export async function verifyStore(db: Db, publicKey: string, anchors: readonly Checkpoint[]): Promise<StoreVerdict> {
  const rows = await loadCheckpoints(db)
  const verdict: StoreVerdict = { checkpoints: rows.length, runs: 0, intact: 0, pruned: 0, faults: [] }
  let previous = GENESIS
  for (const [index, row] of rows.entries()) {
    const fault = checkpointFault(row, index + 1, previous, publicKey)
    if (fault !== undefined) verdict.faults.push(`checkpoint ${row.number}: ${fault}`)
    previous = hashOf(row)
    await verifyRuns(db, row, verdict)
  }
  for (const anchor of anchors) {
    const kept = documentSchema.safeParse(rows.find(({ number }) => number === anchor.number)?.document).data
    if (kept?.hash !== anchor.hash) verdict.faults.push(`checkpoint ${anchor.number} is not the one that was kept outside`)
  }
  return verdict
}

function checkpointFault({ document, runs }: CheckpointRow, number: number, previous: string, publicKey: string): string | undefined {
  const parsed = documentSchema.safeParse(document)
  if (!parsed.success) return 'it does not have the form of a checkpoint'
  const { hash, signature, ...about } = parsed.data
  if (about.number !== number) return 'checkpoints are missing before it'
  if (about.previous !== previous) return 'it does not follow the one before it'
  if (about.runs !== sha256Hex(canonicalText(runs)) || about.count !== runs.length) return 'its list of runs was changed'
  if (hash !== sha256Hex(canonicalText(about))) return 'it was changed'
  if (about.publicKey !== publicKey || !isSignedBy(publicKey, hash, signature)) return 'its signature does not fit'
  return undefined
}

async function verifyRuns(db: Db, { number, runs }: CheckpointRow, verdict: StoreVerdict): Promise<void> {
  const pruned = await listPruned(
    db,
    runs.map(({ id }) => id),
  )
  for (const { id, attempts, digest } of runs) {
    verdict.runs++
    if (pruned.has(id)) verdict.pruned++
    else {
      const now = await digestOfRun(db, id, attempts).catch((error: unknown) => {
        if (!isOfRow(error)) throw error
        return 'no digest'
      })
      if (now === digest) verdict.intact++
      else verdict.faults.push(`run ${id} of checkpoint ${number} ${now === undefined ? 'is gone' : 'was changed'}`)
    }
  }
}

/** Reads a checkpoint that was kept outside. */
export const parseCheckpoint = (text: string): Checkpoint => documentSchema.parse(JSON.parse(text))
