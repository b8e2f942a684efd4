import { watch } from 'node:fs'
import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { describeError, Failure } from '../../core/failure.ts'
import type { AuthorizeEvent } from '../../core/authorize-event.ts'
import type { ParseOptions } from '../../pomerium/log-line.ts'
import type { Db } from '../../store/postgres/db.ts'
import type { DutyRecord } from '../../lib/time/duty.ts'
import { loadPosition, type NewEvent } from '../../store/audit/events.ts'
import { keepEvents } from './keep.ts'
import { createOccurrences, parseLine } from './import.ts'
import { createLineSplitter } from './lines.ts'

export interface FollowOptions extends ParseOptions {
  db: Db
  file: string
  log: Logger
  signal: AbortSignal
  /** Called after each round with the number of new events. */
  onRound: (added: number) => Promise<void>
  /** Keeps how the rounds end. */
  duty: DutyRecord
}

/** Longest time between two rounds, also where the system gives no notice of changes. */
export const LOOK_MS = 1000
/** Between two rounds, at least. */
const ROUND_MS = 250
const CHUNK = 1_048_576
const MAX_ROUND_EVENTS = 2000
/** On resuming, equal lines are counted from this many bytes before the position: equal lines are close to each other. */
const LOOK_BACK_BYTES = 8 * CHUNK
const NEWLINE = 0x0a

/**
 * Reads a log as it grows, from where the last reading stopped, until aborted. A file that is moved away is read to its end before the new one; one
 * that is cut short is read from its beginning. The position is kept with the events, so none is lost or doubled.
 */
export async function followLog(options: FollowOptions): Promise<void> {
  const { file, log, signal, onRound, duty } = options
  const path = resolve(file)
  const reader = createReader(options, path)
  const known = await loadPosition(options.db, path)
  if (known) await reader.resume(known.inode, known.byteOffset)
  duty.started()
  let isMissing = false
  while (!signal.aborted) {
    try {
      await onRound(await reader.read())
      if (reader.isOpen()) duty.succeeded()
      else duty.failed(missing(path))
      if (!reader.isOpen() && !isMissing) log.warn({ file }, 'There is no such file yet: lines are read from when there is.')
      isMissing = !reader.isOpen()
    } catch (error) {
      duty.failed(error)
      log.warn({ file, reason: describeError(error) }, 'The log could not be read or kept; it is tried again.')
    }
    // At least ROUND_MS between rounds: each round joins everything that is not explained yet, and a busy log changes all the time.
    await Promise.all([changed(path, signal), sleep(ROUND_MS, undefined, { signal }).catch(() => {})])
  }
  await reader.close()
}

const missing = (path: string) =>
  new Failure({ code: 'COMMAND_INVALID', message: `There is no file ${path}.`, cure: 'Name the file that Pomerium’s log is written to.' })

function createReader({ db, paramsBytes, redact, log, signal }: FollowOptions, path: string) {
  let handle: FileHandle | undefined
  let inode = ''
  let offset = 0
  /** Undefined: equal lines before the offset must be counted first. */
  let occurrences: ReturnType<typeof createOccurrences> | undefined

  async function close(): Promise<void> {
    await handle?.close()
    handle = undefined
  }

  /** Resumes in the file that was read last, found by its inode, also when it was renamed. */
  async function resume(wanted: string, at: number): Promise<void> {
    const dir = dirname(path)
    for (const name of [path, ...(await readdir(dir).catch(() => [])).map((entry) => join(dir, entry))]) {
      const info = await stat(name, { bigint: true }).catch(() => undefined)
      if (!info?.isFile() || String(info.ino) !== wanted) continue
      const found = await open(name, 'r')
      if (await endsLine(found, at)) {
        handle = found
        inode = wanted
        offset = at
        return
      }
      await found.close()
    }
  }

  /** Counts equal lines before the offset as an import of the whole file would: the same line gets the same number. */
  async function countBefore(from: FileHandle): Promise<ReturnType<typeof createOccurrences>> {
    const counted = createOccurrences()
    const start = Math.max(0, offset - LOOK_BACK_BYTES)
    const splitter = createLineSplitter(start)
    const buffer = Buffer.alloc(CHUNK)
    for (let at = start; at < offset;) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(CHUNK, offset - at), at)
      if (bytesRead === 0) break
      at += bytesRead
      for (const line of splitter.push(buffer.subarray(0, bytesRead))) {
        const parsed = parseLine(line, { paramsBytes: 0 })
        if (parsed.kind === 'event') counted.next(parsed.event.lineDigest, parsed.event.time)
      }
    }
    return counted
  }

  async function openNew(): Promise<boolean> {
    const next = await open(path, 'r').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (!next) return false
    handle = next
    inode = String((await next.stat({ bigint: true })).ino)
    offset = 0
    return true
  }

  /** Reads what is new. A file that was rotated is read to its end before the new one. */
  async function read(): Promise<number> {
    let added = 0
    for (;;) {
      if (!handle && !(await openNew())) return added
      // Truncated, and perhaps written again since: begin at its start.
      if (handle && !(await endsLine(handle, offset))) offset = 0
      added += await readToEnd()
      const current = await stat(path, { bigint: true }).catch(() => undefined)
      if (current && String(current.ino) === inode) return added
      if (!current) return added
      // Lines that were written to the old file during the check.
      added += await readToEnd()
      await close()
    }
  }

  async function readToEnd(): Promise<number> {
    const from = handle
    if (!from) return 0
    let added = 0
    let position = offset
    occurrences ??= await countBefore(from)
    const splitter = createLineSplitter(offset)
    const buffer = Buffer.alloc(CHUNK)
    for (;;) {
      const { bytesRead } = await from.read(buffer, 0, CHUNK, position)
      if (bytesRead === 0 || signal.aborted) return added
      position += bytesRead
      let events: AuthorizeEvent[] = []
      for (const line of splitter.push(buffer.subarray(0, bytesRead))) {
        const parsed = parseLine(line, { paramsBytes, redact })
        if (parsed.kind === 'event') events.push(parsed.event)
        else if (parsed.kind === 'broken')
          log.warn({ file: path, end: line.end }, 'A line of the log may be an authorize check and cannot be read.')
        if (events.length < MAX_ROUND_EVENTS) continue
        added += await keep(events, line.end)
        events = []
      }
      const last = splitter.position()
      if (events.length > 0 || last > offset) added += await keep(events, last)
    }
  }

  async function keep(events: readonly AuthorizeEvent[], end: number): Promise<number> {
    const counted = occurrences ?? createOccurrences()
    const rows: NewEvent[] = events.map((event) => ({ ...event, occurrence: counted.next(event.lineDigest, event.time) }))
    // When the insert fails, the count is made again from the file.
    occurrences = undefined
    const added = await keepEvents(rows, { db, log, position: { file: path, inode, byteOffset: end } })
    occurrences = counted
    offset = end
    return added
  }

  return { read, resume, close, isOpen: () => handle !== undefined }
}

/** True when a line of the file ends at this offset, so that it is still the file that was read. */
async function endsLine(file: FileHandle, at: number): Promise<boolean> {
  if (at === 0) return true
  const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, at - 1)
  return bytesRead === 1 && buffer[0] === NEWLINE
}

/** Resolves when the file may have changed: on a notice of the system, or after a second. */
async function changed(path: string, signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  try {
    const watcher = watch(dirname(path), { signal: either }, () => stop.abort())
    watcher.on('error', () => {})
  } catch {
    // No file notifications here: the poll interval below is enough.
  }
  await sleep(LOOK_MS, undefined, { signal: either }).catch(() => {})
  stop.abort()
}
