import { watch } from 'node:fs'
import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { messageOf } from '../core/failure.ts'
import { parseLogLine, type AuthorizeEvent } from '../pomerium/authorize-line.ts'
import type { Db } from '../store/db.ts'
import { countLines, insertEvents, loadPosition, type NewEvent } from '../store/events.ts'
import { createOccurrences } from './import.ts'
import { createLineSplitter } from './lines.ts'

export interface FollowOptions {
  db: Db
  file: string
  paramsBytes: number
  log: Logger
  signal: AbortSignal
  /** Called after each round of reading: events that were new since the last. */
  onRound: (added: number) => Promise<void>
}

const LOOK_MS = 1000
const CHUNK = 1_048_576
const MAX_ROUND_EVENTS = 2000

/**
 * Reads a log as it grows, from where the last reading stopped, until aborted. A file that is moved away is read to its end before the new one; one
 * that is cut short is read from its beginning. The position is kept with the events, so none is lost or doubled.
 */
export async function followLog(options: FollowOptions): Promise<void> {
  const { file, log, signal, onRound } = options
  const path = resolve(file)
  const reader = createReader(options, path)
  const known = await loadPosition(options.db, path)
  if (known) await reader.resume(known.inode, known.byteOffset)
  while (!signal.aborted) {
    try {
      await onRound(await reader.read())
    } catch (error) {
      log.warn({ file, reason: messageOf(error) }, 'The log could not be read or kept; it is tried again.')
    }
    await changed(path, signal)
  }
  await reader.close()
}

function createReader({ db, paramsBytes, signal }: FollowOptions, path: string) {
  let handle: FileHandle | undefined
  let inode = ''
  let offset = 0
  const occurrences = createOccurrences()

  async function close(): Promise<void> {
    await handle?.close()
    handle = undefined
  }

  /** Goes on in the file that was read last, wherever it was moved. */
  async function resume(wanted: string, at: number): Promise<void> {
    const dir = dirname(path)
    for (const name of [path, ...(await readdir(dir)).map((entry) => join(dir, entry))]) {
      const info = await stat(name, { bigint: true }).catch(() => undefined)
      if (!info?.isFile() || String(info.ino) !== wanted || info.size < BigInt(at)) continue
      handle = await open(name, 'r')
      inode = wanted
      offset = at
      return
    }
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

  /** Reads what there is; a file that was replaced to its end, and then the new one. */
  async function read(): Promise<number> {
    let added = 0
    for (;;) {
      if (!handle && !(await openNew())) return added
      if (handle && (await handle.stat()).size < offset) offset = 0
      added += await readToEnd()
      const current = await stat(path, { bigint: true }).catch(() => undefined)
      if (current && String(current.ino) === inode) return added
      if (!current) return added
      // What was written to the old file while we looked.
      added += await readToEnd()
      await close()
    }
  }

  async function readToEnd(): Promise<number> {
    const from = handle
    if (!from) return 0
    let added = 0
    let position = offset
    const splitter = createLineSplitter(offset)
    const buffer = Buffer.alloc(CHUNK)
    for (;;) {
      const { bytesRead } = await from.read(buffer, 0, CHUNK, position)
      if (bytesRead === 0 || signal.aborted) return added
      position += bytesRead
      let events: AuthorizeEvent[] = []
      for (const { text, end } of splitter.push(buffer.subarray(0, bytesRead))) {
        const parsed = parseLogLine(text, { paramsBytes })
        if (parsed.kind === 'event') events.push(parsed.event)
        if (events.length < MAX_ROUND_EVENTS) continue
        added += await keep(events, end)
        events = []
      }
      const last = splitter.position()
      if (events.length > 0 || last > offset) added += await keep(events, last)
    }
  }

  async function keep(events: readonly AuthorizeEvent[], end: number): Promise<number> {
    const unknown = events.filter(({ lineDigest }) => !occurrences.knows(lineDigest)).map(({ lineDigest }) => lineDigest)
    for (const [digest, n] of unknown.length > 0 ? await countLines(db, unknown) : []) occurrences.learn(digest, n)
    const rows: NewEvent[] = events.map((event) => ({ ...event, occurrence: occurrences.next(event.lineDigest, event.time) }))
    const added = await insertEvents(db, rows, { file: path, inode, byteOffset: end })
    offset = end
    return added
  }

  return { read, resume, close }
}

/** Resolves when the file may have changed: on a notice of the system, or after a second. */
async function changed(path: string, signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  try {
    const watcher = watch(dirname(path), { signal: either }, () => stop.abort())
    watcher.on('error', () => {})
  } catch {
    // Without notices the clock is enough.
  }
  await sleep(LOOK_MS, undefined, { signal: either }).catch(() => {})
  stop.abort()
}
