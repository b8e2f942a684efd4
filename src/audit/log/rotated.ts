import { createHash } from 'node:crypto'
import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createTailSearch, holdsTail, type Tail } from './tail.ts'
import { openUnpacked, packedBy } from './unpacked.ts'

/** A file that a log was moved or copied to, open: it stays the same file whatever is renamed. */
export interface Rotated {
  file: string
  /** The same wherever it is renamed to (`identityOf`). */
  identity: string
  handle: FileHandle
}

/** A log keeps fewer of its earlier files. */
const MOST_FILES = 400
/** The first line with a time is looked for in so many bytes. */
const HEAD_BYTES = 65_536
const BEGINNING_BYTES = 512
const TIME = /"time":"([^"\\]{1,40})"/

/** Of an open file: its inode, which the next file may get when it is removed, and how it begins. */
export async function identityOf(handle: FileHandle): Promise<string> {
  const { ino } = await handle.stat({ bigint: true })
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0)
  return `${ino} ${createHash('sha256').update(buffer.subarray(0, bytesRead)).digest('base64url')}`
}

/** Goes through the files beside the log and one folder below, but for the log itself, until one is taken; that one stays open. */
async function firstNear(path: string, take: (one: Rotated) => Promise<boolean>): Promise<Rotated | undefined> {
  const dir = dirname(path)
  const current = await stat(path, { bigint: true }).catch(() => undefined)
  const names = await readdir(dir, { withFileTypes: true }).catch(() => [])
  const below = await Promise.all(
    names
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => (await readdir(join(dir, name)).catch(() => [])).map((entry) => join(dir, name, entry))),
  )
  const files = [...names.filter((entry) => entry.isFile()).map(({ name }) => join(dir, name)), ...below.flat()]
  for (const file of files.slice(0, MOST_FILES)) {
    // A pipe would wait for its writer.
    const info = await stat(file).catch(() => undefined)
    const handle = info?.isFile() ? await open(file, 'r').catch(() => undefined) : undefined
    if (!handle) continue
    const { ino } = await handle.stat({ bigint: true })
    if (ino !== current?.ino) {
      const one = { file, identity: await identityOf(handle), handle }
      if (await take(one).catch(() => false)) return one
    }
    await handle.close()
  }
  return undefined
}

/** The file that holds what was read last of a log at its place, whatever its name is and whatever packed it. Undefined: there is none. */
export const findCopy = (path: string, offset: number, tail: Tail): Promise<Rotated | undefined> =>
  firstNear(path, ({ handle }) => isCopy(handle, offset, tail))

async function isCopy(handle: FileHandle, offset: number, tail: Tail): Promise<boolean> {
  if ((await packedBy(handle)) === undefined) return holdsTail(handle, offset, tail)
  const search = createTailSearch(offset, tail)
  // oxlint-disable-next-line waits/bounded -- a file of this machine, of which no more is read than was read of the log
  for await (const chunk of await openUnpacked(handle)) if (!search.take(Buffer.from(chunk))) break
  return search.found()
}

/**
 * The next file of the same log after a time, oldest first: a whole piece of it, between the file that was read and the one that is written now. Goes by the first line
 * of each, since what packs or copies a file may give it any time. Undefined: there are no more but those of `except`.
 */
export async function nextAfter(path: string, after: Date | undefined, except: ReadonlySet<string>): Promise<Rotated | undefined> {
  const stem = stemOf(path)
  const later: { identity: string; at: number }[] = []
  await firstNear(path, async ({ file, identity, handle }) => {
    if (stemOf(file) !== stem || except.has(identity)) return false
    const at = await firstTime(handle)
    if (at >= (after?.getTime() ?? 0)) later.push({ identity, at })
    return false
  })
  const next = later.toSorted((a, b) => a.at - b.at)[0]
  return next && firstNear(path, ({ identity }) => Promise.resolve(identity === next.identity))
}

/** The time of the first line that has one; the time of the file when none has. */
async function firstTime(handle: FileHandle): Promise<number> {
  let head = ''
  // oxlint-disable-next-line waits/bounded -- a file of this machine, of which little is read
  for await (const chunk of await openUnpacked(handle)) {
    head += Buffer.from(chunk).subarray(0, HEAD_BYTES).toString('latin1')
    if (head.length >= HEAD_BYTES) break
  }
  const at = Date.parse(TIME.exec(head)?.[1] ?? '')
  return Number.isNaN(at) ? (await handle.stat()).mtimeMs : at
}

/** What names of a log's files have in common: `pomerium` of `pomerium.log.2.gz` and of `pomerium-20261124.log`. */
const stemOf = (path: string) => /^[^.\d]*/.exec(basename(path).replace(/[-_](?=\d)/, '.'))?.[0] ?? ''
