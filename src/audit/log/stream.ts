import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeError } from '../../core/failure.ts'
import type { NewEvent } from '../../store/audit/events.ts'
import { LOOK_MS, ROUND_MS, type RoundOptions } from './follow.ts'
import { createOccurrences, parseLine } from './import.ts'
import { keepEvents } from './keep.ts'
import { createLineSplitter, type Line } from './lines.ts'

export interface StreamOptions extends RoundOptions {
  input: Readable
}

/** Events that are read ahead while the store is away; then whoever writes has to wait. */
const MOST_AHEAD = 10_000
const BATCH = 2000

/** Reads a log that another program pipes in as it grows, until it ends or until aborted. What was read is kept in memory until the store has it. */
export async function followStream({ input, db, log, signal, onRound, duty, ...parsing }: StreamOptions): Promise<void> {
  const occurrences = createOccurrences()
  const splitter = createLineSplitter()
  let rows: NewEvent[] = []
  let isOver = false

  function take(line: Line): void {
    const parsed = parseLine(line, parsing)
    if (parsed.kind === 'broken') log.warn({ end: line.end }, 'A line of the log may be an authorize check and cannot be read.')
    if (parsed.kind === 'event') rows.push({ ...parsed.event, occurrence: occurrences.next(parsed.event.lineDigest, parsed.event.time) })
  }

  async function keep(): Promise<number> {
    const batch = rows.slice(0, BATCH)
    const added = batch.length > 0 ? await keepEvents(batch, { db, log }) : 0
    rows = rows.slice(batch.length)
    if (rows.length < MOST_AHEAD) input.resume()
    return added
  }

  const ended = new AbortController()
  const either = AbortSignal.any([signal, ended.signal])
  const finish = () => {
    if (isOver) return
    isOver = true
    const last = splitter.end()
    if (last) take(last)
    log.warn('The log that was piped in has ended.')
    ended.abort()
  }
  input.once('end', finish)
  input.once('error', finish)
  input.on('data', (chunk: Buffer) => {
    for (const line of splitter.push(chunk)) take(line)
    if (rows.length >= MOST_AHEAD) input.pause()
  })
  duty.started()
  for (let quietMs = LOOK_MS; !signal.aborted; quietMs += ROUND_MS) {
    if (rows.length > 0 || quietMs >= LOOK_MS || isOver) {
      quietMs = 0
      try {
        await onRound(await keep())
        duty.succeeded()
        if (isOver && rows.length === 0) return
        if (rows.length > 0) continue
      } catch (error) {
        duty.failed(error)
        log.warn({ reason: describeError(error) }, 'Lines of the log could not be kept; it is tried again.')
      }
    }
    await sleep(ROUND_MS, undefined, { signal: isOver ? signal : either }).catch(() => {})
  }
}
