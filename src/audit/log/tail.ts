import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

/** What a log ends with up to a place: by it a file is known again, wherever it was moved or copied to. */
export interface Tail {
  bytes: number
  digest: string
}

const TAIL_BYTES = 4096

const digestOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64url')

export const EMPTY_TAIL: Tail = { bytes: 0, digest: digestOf(Buffer.alloc(0)) }

async function bytesBefore(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes)
  const { bytesRead } = await file.read(buffer, 0, bytes, offset - bytes)
  return buffer.subarray(0, bytesRead)
}

/** The tail of what a file holds up to an offset. */
export async function tailOf(file: FileHandle, offset: number): Promise<Tail> {
  const bytes = Math.min(TAIL_BYTES, offset)
  return { bytes, digest: digestOf(await bytesBefore(file, offset, bytes)) }
}

/** True when the file holds up to the offset what the tail is of. */
export async function holdsTail(file: FileHandle, offset: number, tail: Tail): Promise<boolean> {
  return digestOf(await bytesBefore(file, offset, tail.bytes)) === tail.digest
}

/** Looks for a tail in bytes that come one after the other. */
export function createTailSearch(offset: number, { bytes, digest }: Tail) {
  const hash = createHash('sha256')
  let at = 0
  let answer = bytes === 0
  return {
    /** Returns false once no more bytes are needed. */
    take(chunk: Buffer): boolean {
      const from = Math.max(0, offset - bytes - at)
      const to = Math.min(chunk.length, offset - at)
      if (from < to) hash.update(chunk.subarray(from, to))
      at += chunk.length
      if (at < offset) return true
      if (bytes > 0) answer = hash.digest('base64url') === digest
      return false
    },
    found: () => answer && at >= offset,
  }
}
