import { canonicalText, sha256Hex } from '../../lib/hash/chain.ts'
import type { Db } from '../../store/postgres/db.ts'
import { findUncovered, loadCheckpointLists, loadDocuments, storeNow } from '../../store/audit/evidence.ts'
import type { Keep } from '../../store/retention.ts'
import type { Link } from './memory.ts'
import { createRemovals, signedKeep } from './rules/keep.ts'
import { followChain, isChained, isOfNow, readDocument, rootOf, type Checkpoint, type Gap } from './chain.ts'
import { createContentCheck } from './verify/contents.ts'
import { findLinesBelow, readPieces, verifyLines } from './verify/lines.ts'
import { findUnlisted, readRecords, verifyRecords } from './verify/records.ts'
import { readRuns } from './rules/listed.ts'
import { verifyRuns } from './verify/runs.ts'
import type { StoreVerdict, Verifying } from './verify/verdict.ts'

/**
 * Compares all runs with what the checkpoints say of them, and the checkpoints with each other and with those that were kept outside. `keep` is the retention that is in
 * force now: no checkpoint may have been taken since it was set.
 */
export async function verifyStore(db: Db, publicKey: string, anchors: readonly Link[], keep?: Keep): Promise<StoreVerdict> {
  const documents = await loadDocuments(db)
  const { links, gaps } = followChain(documents, publicKey)
  const read = documents.map(({ number, document }) => ({ number, document: readDocument(document) }))
  // What a checkpoint says that is not to be trusted explains nothing.
  const sound = new Set(links.flatMap(({ number, fault }) => (fault === undefined ? [number] : [])))
  const signed = read.flatMap(({ number, document }) => (sound.has(number) && isOfNow(document) ? [document] : []))
  const keeps = [...signed.map((document) => document.keep).filter((one) => one !== null), ...(keep ? [signedKeep(keep)] : [])]
  const uncovered = await findUncovered(db)
  const verdict: StoreVerdict = {
    checkpoints: links.length,
    runs: 0,
    intact: 0,
    pruned: 0,
    unsigned: uncovered.overdue,
    uncovered,
    lines: 0,
    linesGone: 0,
    records: 0,
    gaps: gaps.map(showGap),
    faults: [],
  }
  const verifying = { db, removals: createRemovals(keeps, await storeNow(db)), contentFault: createContentCheck(db), verdict }
  for (const { number, fault, accepted } of links)
    if (fault !== undefined) verdict[accepted ? 'gaps' : 'faults'].push(`checkpoint ${number}: ${fault}`)
  if (links.length > 0 && !read.some(({ document }) => document?.publicKey === publicKey))
    verdict.faults.push('no checkpoint is signed with the key that was named')
  for (const one of read) await verifyOne(one, verifying)
  await findLinesBelow(verifying)
  await findUnlisted(signed.at(-1)?.recordsTo ?? {}, verifying)
  for (const anchor of anchors) {
    const lost = gaps.find((gap) => isLost(gap, anchor))
    if (lost) verdict.gaps.push(`checkpoint ${anchor.number}, which was kept outside, is one of those that are lost before ${lost.number}`)
    else if (links.find(({ number }) => number === anchor.number)?.hash !== anchor.hash)
      verdict.faults.push(`checkpoint ${anchor.number} is not the one that was kept outside`)
  }
  return verdict
}

const isLost = ({ number, found }: Gap, anchor: Link) => anchor.number > (found?.number ?? 0) && anchor.number < number

const showLink = (link: Gap['found']) => (link ? `checkpoint ${link.number} (${link.hash.slice(0, 12)}…)` : 'none')

const showGap = ({ number, remembered, found, acceptedBy, reason }: Gap) =>
  `checkpoint ${number} goes on after a gap: signed last was ${showLink(remembered)}, in the store was ${showLink(found)}. Accepted by ${acceptedBy}: ${reason}`

async function verifyOne({ number, document }: { number: number; document: Checkpoint | undefined }, verifying: Verifying): Promise<void> {
  const { db, verdict } = verifying
  const { takenAt, runs, lines, records } = await loadCheckpointLists(db, number)
  const changed = (what: string) => verdict.faults.push(`checkpoint ${number}: its list of ${what} was changed`)
  const said = readRuns(runs)
  if (!said || (document && (document.runs !== sha256Hex(canonicalText(said)) || document.count !== said.length))) changed('runs')
  await verifyRuns({ number, runs: said ?? [] }, verifying)
  if (!document || !isChained(document)) return
  const pieces = readPieces(lines)
  if (!pieces || document.lines !== sha256Hex(canonicalText(pieces))) changed('lines of the log')
  else for (const piece of pieces) await verifyLines({ number, piece, isOfNow: isOfNow(document) }, verifying)
  if (!isOfNow(document)) return
  if (document.takenAt !== takenAt?.toISOString()) verdict.faults.push(`checkpoint ${number}: its time was changed`)
  const lists = readRecords(records)
  if (!lists || document.records !== sha256Hex(canonicalText(lists))) changed('rows')
  else await verifyRecords({ number, lists }, verifying)
  if (document.root !== rootOf(said ?? [], pieces ?? [])) verdict.faults.push(`checkpoint ${number}: its root is not that of its lists`)
}
