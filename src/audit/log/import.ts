import { addAbortSignal, type Readable } from 'node:stream'
import { parseLogLine, unreadable, type ParsedLine, type ParseOptions } from '../../pomerium/log-line.ts'
import type { Db } from '../../store/postgres/db.ts'
import type { NewEvent } from '../../store/audit/events.ts'
import type { BadRowLog } from '../../store/bad-rows.ts'
import { keepEvents } from './keep.ts'
import { createLineSplitter, type Line } from './lines.ts'

export interface ImportCounts {
  lines: number
  events: number
  /** Events that were not known before. */
  added: number
  /** Lines about other things. */
  skipped: number
  /** Lines that say they are authorize checks and cannot be read. */
  broken: number
  /** Time of the earliest event. */
  from?: Date
}

export interface ImportOptions extends ParseOptions {
  db: Db
  log?: BadRowLog | undefined
  signal?: AbortSignal | undefined
}

const BATCH = 2000
/** The log's times are whole seconds, so equal lines are close to each other. */
const NEAR_MS = 120_000

/** Counts equal lines of a log that is read from its beginning, so that reading it again finds the same rows. */
export function createOccurrences() {
  let now = new Map<string, number>()
  let before = new Map<string, number>()
  let since = Number.NEGATIVE_INFINITY
  return {
    next(digest: string, time: Date): number {
      // A log is in the order of time, so only lines of the last minutes are remembered.
      if (time.getTime() - since > NEAR_MS) {
        before = now
        now = new Map()
        since = time.getTime()
      }
      const n = (now.get(digest) ?? before.get(digest) ?? 0) + 1
      now.set(digest, n)
      return n
    },
  }
}

/** Parses a line. A line that is too long is one that cannot be read, whatever it says, since it may be an event. */
export const parseLine = ({ text, tooLong }: Line, options: ParseOptions): ParsedLine =>
  tooLong ? unreadable(text, options) : parseLogLine(text, options)

/** Reads a whole log. Doing it twice changes nothing. */
export async function importLog(input: Readable, { db, log, signal, ...parsing }: ImportOptions): Promise<ImportCounts> {
  const counts: ImportCounts = { lines: 0, events: 0, added: 0, skipped: 0, broken: 0 }
  const occurrences = createOccurrences()
  let batch: NewEvent[] = []
  let writing = Promise.resolve()
  const flush = async () => {
    const events = batch
    batch = []
    // The next batch is read while this one is written.
    await writing
    writing = keepEvents(events, { db, log }).then((added) => void (counts.added += added))
    writing.catch(() => {}) // awaited before the next one, and in the end
  }
  const take = async (line: Line) => {
    counts.lines++
    const parsed = parseLine(line, parsing)
    if (parsed.kind === 'other') counts.skipped++
    else if (parsed.kind === 'broken') counts.broken++
    else {
      counts.events++
      const { event } = parsed
      if (!counts.from || event.time < counts.from) counts.from = event.time
      batch.push({ ...event, occurrence: occurrences.next(event.lineDigest, event.time) })
      if (batch.length >= BATCH) await flush()
    }
  }
  const splitter = createLineSplitter()
  try {
    // oxlint-disable-next-line waits/bounded -- whoever pipes a log in says when it ends; a signal ends it before
    for await (const chunk of signal ? addAbortSignal(signal, input) : input)
      for (const line of splitter.push(Buffer.from(chunk))) await take(line)
  } catch (error) {
    // What is being written is written: once this has ended, nothing of it is under way.
    await writing.catch(() => {})
    signal?.throwIfAborted()
    throw error
  }
  const last = splitter.end()
  if (last) await take(last)
  await flush()
  await writing
  return counts
}
