import { randomUUID } from 'node:crypto'
import type { CloudEvent } from '../../core/cloud-event.ts'
import { canonicalText, sha256Hex } from '../../lib/hash/chain.ts'
import { createBadRows, type BadRowLog } from '../../store/bad-rows.ts'
import type { Db } from '../../store/postgres/db.ts'
import {
  addCheckpoint,
  countUncheckpointed,
  listUncheckpointed,
  type CheckpointedRun,
  type RecordList,
} from '../../store/audit/evidence.ts'
import { RECORD_NAMES, RECORD_TABLES } from '../../store/audit/record-rules.ts'
import { loadNewRecords } from '../../store/audit/signed-records.ts'
import { loadLines, loadRunRows, settledLines, type TextRow } from '../../store/audit/signed-rows.ts'
import type { Keep } from '../../store/retention.ts'
import { isChained, isOfNow, readDocument, rootOf, signCheckpoint, type Checkpoint, type SignedNow } from './chain.ts'
import { keyIdOf } from '../../lib/hash/public-key.ts'
import { signedKeep } from './rules/keep.ts'
import { recordEntry } from './rules/records.ts'
import { digestLines, digestRows, type SignedLines } from './rules/rows.ts'
import { placeOf, type AcceptedGap } from './gap.ts'
import { rememberKept, rememberNext, type Signer } from './signer.ts'

/** How long after its end a run may still get late rows, such as the end of its last request. */
const SETTLED_MS = 5 * 60_000
/** Most runs of one checkpoint, and how many of before the last one make the next one due at once: more end in a day than one holds. */
const MOST_RUNS = 50_000
const BEHIND = 1000
/** Of each table beside the runs. */
const MOST_RECORDS = 50_000
/** Runs whose rows are in memory at a time. */
const BATCH = 50

/** Where a checkpoint is told, so that an anchor is outside without anybody's doing. */
export interface CheckpointLog extends BadRowLog {
  info: (about: Record<string, unknown>, message: string) => void
}

export interface CheckpointOptions {
  /** None is taken while the last one is younger, unless it left many runs to the next one. */
  everyMs?: number
  mostRuns?: number
  now?: Date
  /** What retention is configured to remove: a removal that it does not explain is a fault later. One that is another than the last checkpoint says is told at once. */
  keep?: Keep
  /** Aborting leaves none. */
  signal?: AbortSignal
  log?: CheckpointLog
  /** It is also sent as alarms are. */
  sends?: boolean
  /** The store is not as it was signed, and a person lets it go on. */
  gap?: AcceptedGap | undefined
  /** Public keys that may sign from here on, and that may not any more. */
  keys?: { introduces: readonly string[]; retires: readonly string[] }
}

/**
 * Takes a checkpoint of the runs that have ended since the last one. Undefined when there are none and nothing else is to be said, or when the last one is young.
 * `EVIDENCE_GAP` when the store is not as this signer left it.
 */
export async function takeCheckpoint(
  db: Db,
  signer: Signer,
  {
    everyMs = 0,
    mostRuns = MOST_RUNS,
    now = new Date(),
    keep: configured,
    signal,
    log,
    sends = false,
    gap: accepted,
    keys,
  }: CheckpointOptions = {},
): Promise<SignedNow | undefined> {
  const rows = createBadRows({ db, duty: 'checkpoint', log })
  let taken: SignedNow | undefined
  await addCheckpoint(db, async (documents) => {
    const { number, previous, gap, sound } = placeOf(signer, documents, accepted)
    const last = documents.at(-1)
    const before = last && readDocument(last.document)
    const keep = configured ? signedKeep(configured) : (sound.findLast(isOfNow)?.keep ?? null)
    const isKeepTold = canonicalText(keep) === canonicalText(sound.findLast(isOfNow)?.keep ?? null)
    const isYoung = before && isKeepTold && now.getTime() - Date.parse(before.takenAt) < everyMs
    if (isYoung && !(await isBehind(db, new Date(Date.parse(before.takenAt) - SETTLED_MS)))) return undefined
    const due = await listUncheckpointed(db, new Date(now.getTime() - SETTLED_MS), mostRuns)
    const runs: CheckpointedRun[] = []
    for (let at = 0; at < due.length; at += BATCH) {
      signal?.throwIfAborted()
      const some = due.slice(at, at + BATCH)
      await rows.pass(
        some,
        ({ id }) => id,
        async (of) => void runs.push(...(await digestsOf(db, of))),
      )
    }
    const after = lastLine(sound)
    const to = await settledLines(db)
    const lines: SignedLines[] = []
    for (let at = after; at < to;) {
      signal?.throwIfAborted()
      const piece = await loadLines(db, { after: at, to })
      if (piece.length === 0) break
      for (const some of byHour(piece)) {
        const signed = digestLines(at, some)
        lines.push(signed)
        at = signed.to
      }
    }
    const { records, recordsTo } = await newRecords(db, sound.findLast(isOfNow)?.recordsTo ?? {}, signal)
    // Each checkpoint that is sent is an alarm itself, and no reason for the next.
    const isNothingNew = runs.length === 0 && lines.length === 0 && records.every(({ rule }) => rule === RECORD_TABLES.alarms.rule)
    if (isNothingNew && isKeepTold && gap === null && keys === undefined) return undefined
    const document = signCheckpoint(signer, {
      number,
      takenAt: now.toISOString(),
      previous,
      runs: sha256Hex(canonicalText(runs)),
      count: runs.length,
      lines: sha256Hex(canonicalText(lines)),
      linesTo: lines.at(-1)?.to ?? after,
      records: sha256Hex(canonicalText(records)),
      recordsTo,
      root: rootOf(runs, lines),
      keep,
      introduces: [...(keys?.introduces ?? [])],
      retires: [...(keys?.retires ?? [])],
      gap,
    })
    taken = document
    signal?.throwIfAborted()
    rememberNext(signer, linkOf(document), last ? { number: last.number, hash: before?.hash ?? '' } : null)
    return { number, runs, lines, records, takenAt: now, document, ...(sends && { told: eventOf(document) }) }
  })
  if (!taken) return undefined
  rememberKept(signer, linkOf(taken))
  const { number, hash, count, gap, publicKey } = taken
  log?.info({ number, hash, key: keyIdOf(publicKey), runs: count, ...(gap && { gap }) }, 'Checkpoint taken.')
  return taken
}

const isBehind = async (db: Db, until: Date) => (await countUncheckpointed(db, until, BEHIND)) === BEHIND

const linkOf = ({ number, hash }: SignedNow) => ({ number, hash })

/** A checkpoint as it is sent. */
function eventOf(document: SignedNow): CloudEvent {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: '/nightshift/evidence',
    type: 'nightshift.evidence.checkpoint',
    subject: String(document.number),
    time: document.takenAt,
    datacontenttype: 'application/json',
    data: document,
  }
}

const HOUR = '2026-01-01 00'.length

/** Lines that follow each other and are of one hour: retention, which takes lines by their time, takes as good as all of a piece or none. */
function byHour(lines: readonly TextRow[]): TextRow[][] {
  const pieces: TextRow[][] = []
  for (const line of lines) {
    const piece = pieces.at(-1)
    if (piece?.[0]?.['time']?.slice(0, HOUR) === line['time']?.slice(0, HOUR)) piece?.push(line)
    else pieces.push([line])
  }
  return pieces
}

/** Up to which line checkpoints go; those of the first format say nothing of it. */
const lastLine = (documents: readonly Checkpoint[]): number => Math.max(0, ...documents.map((one) => (isChained(one) ? one.linesTo : 0)))

/** Rows of other tables that no checkpoint lists as they stand. */
async function newRecords(
  db: Db,
  before: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<{ records: RecordList[]; recordsTo: Record<string, string> }> {
  const records: RecordList[] = []
  const recordsTo: Record<string, string> = {}
  for (const table of RECORD_NAMES) {
    signal?.throwIfAborted()
    const { rows, to } = await loadNewRecords(db, { table, after: before[table] ?? '-infinity', limit: MOST_RECORDS })
    recordsTo[table] = to
    if (rows.length > 0) records.push({ rule: RECORD_TABLES[table].rule, rows: rows.map((row) => recordEntry(table, row)) })
  }
  return { records, recordsTo }
}

async function digestsOf(db: Db, due: readonly { id: string; attempts: number }[]): Promise<CheckpointedRun[]> {
  const found = await loadRunRows(
    db,
    due.map(({ id }) => id),
  )
  return due.flatMap(({ id, attempts }) => {
    const rows = found.get(id)
    const [run] = rows?.tables['runs'] ?? []
    // One that was retried since it was found is signed when it is over again.
    const isAsFound = run !== undefined && run['finished_at'] !== null && Number(run['attempts']) === attempts
    return rows && isAsFound ? [digestRows(rows, attempts)] : []
  })
}
