import { open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createTailSearch, holdsTail, type Tail } from './tail.ts'
import { openUnpacked, packedBy } from './unpacked.ts'

/** A file that a log was moved or copied to. */
export interface Rotated {
  file: string
  inode: string
  /** When it was last written, in nanoseconds. */
  changed: bigint
}

/** A log keeps fewer of its earlier files. */
const MOST_FILES = 400

/** Files beside the log and one folder below, but for the log itself, newest first. */
async function filesNear(path: string): Promise<(Rotated & { size: bigint })[]> {
  const dir = dirname(path)
  const current = await stat(path, { bigint: true }).catch(() => undefined)
  const names = await readdir(dir, { withFileTypes: true }).catch(() => [])
  const below = await Promise.all(
    names
      .filter((entry) => entry.isDirectory())
      .map(async ({ name }) => (await readdir(join(dir, name)).catch(() => [])).map((entry) => join(dir, name, entry))),
  )
  const paths = [...names.filter((entry) => !entry.isDirectory()).map(({ name }) => join(dir, name)), ...below.flat()]
  const files = await Promise.all(
    paths.slice(0, 10 * MOST_FILES).map(async (file) => {
      const info = await stat(file, { bigint: true }).catch(() => undefined)
      return info?.isFile() && info.ino !== current?.ino ? [{ file, inode: String(info.ino), changed: info.mtimeNs, size: info.size }] : []
    }),
  )
  return files
    .flat()
    .toSorted((a, b) => Number(b.changed - a.changed))
    .slice(0, MOST_FILES)
}

/** The file that holds what was read last of a log at its place, whatever its name is and whatever packed it. Undefined: there is none. */
export async function findCopy(path: string, offset: number, tail: Tail): Promise<Rotated | undefined> {
  for (const one of await filesNear(path)) if (await isCopy(one.file, one.size, offset, tail).catch(() => false)) return one
  return undefined
}

async function isCopy(file: string, size: bigint, offset: number, tail: Tail): Promise<boolean> {
  if ((await packedBy(file)) === undefined) {
    if (size < BigInt(offset)) return false
    const handle = await open(file, 'r')
    try {
      return await holdsTail(handle, offset, tail)
    } finally {
      await handle.close()
    }
  }
  const search = createTailSearch(offset, tail)
  const unpacked = await openUnpacked(file)
  // oxlint-disable-next-line waits/bounded -- a file of this machine, of which no more is read than was read of the log
  for await (const chunk of unpacked) if (!search.take(Buffer.from(chunk))) break
  return search.found()
}

/** Files of the same log that were written after a time, oldest first: whole pieces of it, between the one that was read and the one that is written now. */
export async function filesAfter(path: string, changed: bigint, except: readonly string[]): Promise<Rotated[]> {
  const stem = stemOf(path)
  const near = await filesNear(path)
  return near.filter((one) => one.changed >= changed && stemOf(one.file) === stem && !except.includes(one.inode)).toReversed()
}

/** What names of a log's files have in common: `pomerium` of `pomerium.log.2.gz` and of `pomerium-20261124.log`. */
const stemOf = (path: string) => /^[^.\d]*/.exec(basename(path).replace(/[-_](?=\d)/, '.'))?.[0] ?? ''
