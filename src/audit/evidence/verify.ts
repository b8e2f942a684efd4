import { z } from 'zod'
import { parseDoubles, tryParse } from '../../lib/json/parse.ts'
import { canonicalText, sha256Hex } from '../../lib/hash/chain.ts'
import { isOfRow } from '../../store/bad-rows.ts'
import type { Db } from '../../store/postgres/db.ts'
import {
  countUnsigned,
  listRemoved,
  loadCheckpointLists,
  loadDefinitions,
  loadDocuments,
  type CheckpointedRun,
  type CheckpointedView,
} from '../../store/audit/evidence.ts'
import { loadLines, loadRunRows, oldestLine } from '../../store/audit/signed-rows.ts'
import { loadRun } from '../../store/runs/show.ts'
import { runDigest } from './bundle.ts'
import { digestLines, rowsFault, type SignedLines } from './rows.ts'
import { followChain, readDocument, type Checkpoint, type Gap } from './chain.ts'

export interface StoreVerdict {
  checkpoints: number
  runs: number
  intact: number
  /** Their content, or they themselves, were removed by retention. */
  pruned: number
  /** Ended days ago and are in no checkpoint: nothing is proved of them. */
  unsigned: number
  /** Lines of the log that were signed, and of these the ones that are gone and were the oldest. */
  lines: number
  linesGone: number
  /** What people accepted: it is shown for ever. */
  gaps: string[]
  faults: string[]
}

const linesSchema = z.array(z.strictObject({ after: z.int(), to: z.int(), count: z.int(), oldest: z.string(), digest: z.string() }))

/** Compares all runs with what the checkpoints say of them, and the checkpoints with each other and with those that were kept outside. */
export async function verifyStore(db: Db, publicKey: string, anchors: readonly Checkpoint[]): Promise<StoreVerdict> {
  const documents = await loadDocuments(db)
  const { links, gaps } = followChain(documents, publicKey)
  const verdict: StoreVerdict = {
    checkpoints: links.length,
    runs: 0,
    intact: 0,
    pruned: 0,
    unsigned: await countUnsigned(db),
    lines: 0,
    linesGone: 0,
    gaps: gaps.map(showGap),
    faults: [],
  }
  for (const { number, fault, accepted } of links)
    if (fault !== undefined) verdict[accepted ? 'gaps' : 'faults'].push(`checkpoint ${number}: ${fault}`)
  if (links.length > 0 && !documents.some(({ document }) => readDocument(document)?.publicKey === publicKey))
    verdict.faults.push('no checkpoint is signed with the key that was named')
  for (const { number, document } of documents) await verifyOne(db, { number, document: readDocument(document) }, verdict)
  for (const anchor of anchors) {
    const lost = gaps.find((gap) => isLost(gap, anchor))
    if (lost) verdict.gaps.push(`checkpoint ${anchor.number}, which was kept outside, is one of those that are lost before ${lost.number}`)
    else if (links.find(({ number }) => number === anchor.number)?.hash !== anchor.hash)
      verdict.faults.push(`checkpoint ${anchor.number} is not the one that was kept outside`)
  }
  return verdict
}

const isLost = ({ number, found }: Gap, anchor: Checkpoint) => anchor.number > (found?.number ?? 0) && anchor.number < number

const showLink = (link: Gap['found']) => (link ? `checkpoint ${link.number} (${link.hash.slice(0, 12)}…)` : 'none')

const showGap = ({ number, remembered, found, acceptedBy, reason }: Gap) =>
  `checkpoint ${number} goes on after a gap: signed last was ${showLink(remembered)}, in the store was ${showLink(found)}. Accepted by ${acceptedBy}: ${reason}`

async function verifyOne(
  db: Db,
  { number, document }: { number: number; document: Checkpoint | undefined },
  verdict: StoreVerdict,
): Promise<void> {
  const { runs, lines } = await loadCheckpointLists(db, number)
  if (document && (document.runs !== sha256Hex(canonicalText(runs)) || document.count !== runs.length))
    verdict.faults.push(`checkpoint ${number}: its list of runs was changed`)
  await verifyRuns(db, { number, runs }, verdict)
  if (document?.format !== 'nightshift-checkpoint/2') return
  const signed = linesSchema.safeParse(lines).data
  if (!signed || document.lines !== sha256Hex(canonicalText(signed)))
    verdict.faults.push(`checkpoint ${number}: its list of lines of the log was changed`)
  else for (const piece of signed) await verifyLines(db, { number, piece }, verdict)
}

/** Lines that are gone are taken for removed by retention while none that is as old is there. */
async function verifyLines(db: Db, { number, piece }: { number: number; piece: SignedLines }, verdict: StoreVerdict): Promise<void> {
  const { after, to, count, oldest } = piece
  verdict.lines += count
  const found = await loadLines(db, { after, to })
  if (found.length === count && digestLines(after, found).digest === piece.digest) return
  const left = found.length < count ? await oldestLine(db, to) : undefined
  if (found.length < count && (left === undefined || left > new Date(oldest))) verdict.linesGone += count - found.length
  else verdict.faults.push(`lines ${after + 1} to ${to} of the log of checkpoint ${number} were changed`)
}

const BATCH = 50

async function verifyRuns(db: Db, { number, runs }: { number: number; runs: CheckpointedRun[] }, verdict: StoreVerdict): Promise<void> {
  for (let at = 0; at < runs.length; at += BATCH) await verifySome(db, { number, runs: runs.slice(at, at + BATCH) }, verdict)
}

async function verifySome(db: Db, { number, runs }: { number: number; runs: CheckpointedRun[] }, verdict: StoreVerdict): Promise<void> {
  const gone = await listRemoved(
    db,
    runs.flatMap((run) => [run.id, ...('rule' in run && run.retryOf !== null ? [run.retryOf] : [])]),
  )
  const found = await loadRunRows(
    db,
    runs.map(({ id }) => id),
  )
  for (const run of runs) {
    verdict.runs++
    const rows = found.get(run.id)
    const [row] = rows?.tables['runs'] ?? []
    const isPruned = row !== undefined && (row['pruned_at'] ?? null) !== null
    if (rows && gone.has(run.id)) verdict.faults.push(`run ${run.id} of checkpoint ${number} is there, and is said to be removed`)
    else if (!rows && gone.has(run.id)) verdict.pruned++
    else if (!rows) verdict.faults.push(`run ${run.id} of checkpoint ${number} is gone`)
    else {
      const fault = 'rule' in run ? rowsFault(run, rows, (id) => gone.has(id)) : isPruned ? undefined : await viewFault(db, run)
      if (fault !== undefined) verdict.faults.push(`run ${run.id} of checkpoint ${number} ${fault}`)
      else if (isPruned) verdict.pruned++
      else verdict.intact++
    }
  }
}

/** By the first rule. */
async function viewFault(db: Db, { id, attempts, digest }: CheckpointedView): Promise<string | undefined> {
  const run = await loadRun(db, id).catch((error: unknown) => {
    if (!isOfRow(error)) throw error
    return undefined
  })
  if (!run) return 'was changed'
  const definitions = await loadDefinitions(db, id)
  // When that rule was in force, numbers in arguments were read as doubles.
  const asThen = { ...run, toolCalls: run.toolCalls.map((call) => ({ ...call, arguments: asDoubles(call.arguments) })) }
  return [run, asThen].some((one) => runDigest({ run: one, definitions }, attempts) === digest) ? undefined : 'was changed'
}

const asDoubles = (args: unknown) => (typeof args === 'string' ? (tryParse(args, parseDoubles) ?? args) : args)
