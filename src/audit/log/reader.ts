import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import { describeError } from '../../core/failure.ts'
import type { AuthorizeEvent } from '../../core/authorize-event.ts'
import type { ParseOptions } from '../../pomerium/log-line.ts'
import type { LogPosition, NewEvent } from '../../store/audit/events.ts'
import { insertGap } from '../../store/audit/log-gaps.ts'
import type { Db } from '../../store/postgres/db.ts'
import { createOccurrences, parseLine } from './import.ts'
import { keepEvents } from './keep.ts'
import { createLineSplitter, type Line } from './lines.ts'
import { findCopy, identityOf, nextAfter, type Rotated } from './rotated.ts'
import { EMPTY_TAIL, holdsTail, tailOf, type Tail } from './tail.ts'
import { openUnpacked, packedBy } from './unpacked.ts'

export interface ReaderOptions extends ParseOptions {
  db: Db
  log: Logger
  signal: AbortSignal
  /** What the log is called in the store, where several hosts have one of the same path; its path when not given. */
  name?: string | undefined
}

const CHUNK = 1_048_576
const MAX_ROUND_EVENTS = 2000
/** On resuming, equal lines are counted from this many bytes before the position: equal lines are close to each other. */
const LOOK_BACK_BYTES = 8 * CHUNK
const NEWLINE = 0x0a
/** Rounds in which the copy of a file that was cut is looked for: it may be packed just now. */
const SEARCHES = 4

/** Reads what is new of a log, round by round, and whatever it was moved or copied to before it was begun anew. */
export function createLogReader({ db, log, signal, name, ...parsing }: ReaderOptions, path: string) {
  // Files of before this are not read by whoever follows for the first time.
  const startedAt = new Date()
  let handle: FileHandle | undefined
  let inode = ''
  let offset = 0
  /** Undefined: a version before wrote the position. */
  let tail: Tail | undefined = EMPTY_TAIL
  let readUntil: Date | undefined
  /** Undefined: equal lines before the offset must be counted first. */
  let occurrences: ReturnType<typeof createOccurrences> | undefined
  /** The file that was read is not at its place: how often its copy was looked for. */
  let searches = 0
  /** A file was begun, and files that came before it are looked for: lines up to this time were read before it. */
  let beganAfter: Date | undefined
  /** Those that were read since, and how often one could not be. */
  const done = new Set<string>()
  /** How the folder was when there was no more of them. */
  let unchanged: bigint | undefined
  const failures = new Map<string, number>()
  /** Lines after this time may have been lost. */
  let gapFrom: Date | undefined

  async function close(): Promise<void> {
    await handle?.close()
    handle = undefined
  }

  /** Goes on in the file that was read last, found by its inode, also when it was renamed. */
  async function resume(position: LogPosition): Promise<void> {
    ;({ inode, byteOffset: offset, tail, readUntil } = position)
    const dir = dirname(path)
    for (const place of [path, ...(await readdir(dir).catch(() => [])).map((entry) => join(dir, entry))]) {
      const info = await stat(place, { bigint: true }).catch(() => undefined)
      if (!info?.isFile() || String(info.ino) !== position.inode) continue
      const found = await open(place, 'r')
      if (await isWhole(found)) {
        handle = found
        return
      }
      await found.close()
    }
    if (offset > 0) searches = 1
  }

  /** True when the file still holds what was read of it. */
  const isWhole = (file: FileHandle) => (tail ? holdsTail(file, offset, tail) : endsLine(file, offset))

  async function openNew(): Promise<boolean> {
    const next = await open(path, 'r').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (!next) return false
    handle = next
    inode = String((await next.stat({ bigint: true })).ino)
    offset = 0
    tail = EMPTY_TAIL
    occurrences = createOccurrences()
    beganAfter ??= readUntil ?? startedAt
    return true
  }

  /** Reads what is new. A file that was rotated is read to its end before the new one. */
  async function read(): Promise<number> {
    let added = 0
    for (;;) {
      if (handle && !(await isWhole(handle))) {
        await close()
        searches = 1
      }
      if (searches > 0) {
        const rest = await readElsewhere()
        if (rest === undefined) return added
        added += rest
      }
      if (!handle && !(await openNew())) return added
      // Once more after lines of it were read: of a file of which nothing was read it is not seen that it was cut.
      if (beganAfter) {
        const wasRead = offset > 0
        added += await readBetween(beganAfter)
        if (wasRead) settle()
      }
      added += await readToEnd()
      const current = await stat(path, { bigint: true }).catch(() => undefined)
      if (!current || String(current.ino) === inode) return added
      // Lines that were written to the old file during the check.
      added += await readToEnd()
      if (handle) done.add(await identityOf(handle))
      await close()
    }
  }

  /** Reads what followed the place where reading stopped, which was cut off or replaced. Undefined: it is looked for again in the next round. */
  async function readElsewhere(): Promise<number | undefined> {
    const copy = tail && (await findCopy(path, offset, tail))
    if (!copy) {
      if (searches++ < SEARCHES) return undefined
      gapFrom = readUntil
      log.error(
        { file: path, from: readUntil?.toISOString() },
        'The log was cut or replaced, and what followed there is in no file: lines may be lost.',
      )
      searches = 0
      return 0
    }
    log.info({ file: copy.file }, 'The log goes on in a copy of it.')
    const added = await readRotated(copy, offset)
    searches = 0
    return added
  }

  /** Reads whole files of the log that came between what was read and the file of now. */
  async function readBetween(after: Date): Promise<number> {
    let added = 0
    for (;;) {
      const before = await changeOf(dirname(path))
      if (before === unchanged) return added
      const next = await nextAfter(path, after, done)
      if (!next) {
        // What is renamed while the folder is listed may be overlooked.
        if ((await changeOf(dirname(path))) === before) unchanged = before
        continue
      }
      log.info({ file: next.file }, 'An earlier file of the log is read whole.')
      added += await readRotated(next, 0)
    }
  }

  /** Reads an earlier file from a place on, and closes it. One that cannot be read for several rounds is a gap. */
  async function readRotated({ file, identity, handle: from }: Rotated, place: number): Promise<number> {
    try {
      const start = (await packedBy(from)) === undefined ? Math.max(0, place - LOOK_BACK_BYTES) : 0
      const added = await readStream(await openUnpacked(from, start), start, place)
      done.add(identity)
      return added
    } catch (error) {
      const times = (failures.get(identity) ?? 0) + 1
      failures.set(identity, times)
      if (times < SEARCHES || signal.aborted) throw error
      done.add(identity)
      gapFrom ??= readUntil
      log.error({ file, reason: describeError(error) }, 'An earlier file of the log cannot be read: lines may be lost.')
      return 0
    } finally {
      await from.close()
    }
  }

  /** Reads a file that stands still. Lines that end up to `from` are known. */
  async function readStream(input: Readable, start: number, from: number): Promise<number> {
    const counted = createOccurrences()
    const splitter = createLineSplitter(start)
    let added = 0
    let rows: NewEvent[] = []
    const flush = async () => {
      added += await keepRows(rows)
      rows = []
    }
    const take = (line: Line) => {
      const event = eventOf(line)
      if (!event) return
      const occurrence = counted.next(event.lineDigest, event.time)
      if (line.end > from) rows.push({ ...event, occurrence })
    }
    // oxlint-disable-next-line waits/bounded -- a file of this machine
    for await (const chunk of input) {
      signal.throwIfAborted()
      for (const line of splitter.push(Buffer.from(chunk))) take(line)
      if (rows.length >= MAX_ROUND_EVENTS) await flush()
    }
    const last = splitter.end()
    if (last) take(last)
    await flush()
    return added
  }

  function eventOf(line: Line, options: ParseOptions = parsing): AuthorizeEvent | undefined {
    const parsed = parseLine(line, options)
    if (parsed.kind === 'broken') log.warn({ file: path, end: line.end }, 'A line of the log may be an authorize check and cannot be read.')
    return parsed.kind === 'event' ? parsed.event : undefined
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
        const parsed = parseLine(line, { ...parsing, paramsBytes: 0 })
        if (parsed.kind === 'event') counted.next(parsed.event.lineDigest, parsed.event.time)
      }
    }
    return counted
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
        const event = eventOf(line)
        if (event) events.push(event)
        if (events.length < MAX_ROUND_EVENTS) continue
        added += await keep(from, events, line.end)
        events = []
      }
      const last = splitter.position()
      if (events.length > 0 || last > offset) added += await keep(from, events, last)
    }
  }

  async function keep(from: FileHandle, events: readonly AuthorizeEvent[], end: number): Promise<number> {
    const counted = occurrences ?? createOccurrences()
    const rows: NewEvent[] = events.map((event) => ({ ...event, occurrence: counted.next(event.lineDigest, event.time) }))
    // When the insert fails, the count is made again from the file.
    occurrences = undefined
    const last = await tailOf(from, end)
    const until = rows.at(-1)?.time ?? readUntil
    const added = await keepRows(rows, { file: name ?? path, inode, byteOffset: end, tail: last, readUntil: until })
    occurrences = counted
    offset = end
    tail = last
    readUntil = until
    return added
  }

  /** All that came before the file of now is read. */
  function settle(): void {
    beganAfter = undefined
    unchanged = undefined
    done.clear()
    failures.clear()
  }

  async function keepRows(rows: readonly NewEvent[], position?: LogPosition): Promise<number> {
    const added = rows.length > 0 || position ? await keepEvents(rows, { db, log, position }) : 0
    const first = rows[0]?.time
    if (gapFrom && first) {
      await insertGap(db, { file: name ?? path, from: gapFrom, until: first > gapFrom ? first : gapFrom })
      gapFrom = undefined
    }
    return added
  }

  return { read, resume, close, isOpen: () => handle !== undefined || searches > 0 }
}

/** When files were last put into a folder, renamed or removed. */
const changeOf = async (dir: string) => (await stat(dir, { bigint: true })).mtimeNs

/** True when a line of the file ends at this offset, so that it may still be the file that was read. */
async function endsLine(file: FileHandle, at: number): Promise<boolean> {
  if (at === 0) return true
  const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, at - 1)
  return bytesRead === 1 && buffer[0] === NEWLINE
}
