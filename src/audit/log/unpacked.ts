import { spawn } from 'node:child_process'
import type { FileHandle } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import * as zlib from 'node:zlib'

const CHUNK = 1_048_576
const UNPACK_MS = 10 * 60_000

/** How a packed file begins, and what unpacks it. */
const PACKED: readonly { magic: readonly number[]; program: string }[] = [
  { magic: [0x1f, 0x8b], program: 'gzip' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], program: 'zstd' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], program: 'xz' },
  { magic: [0x42, 0x5a, 0x68], program: 'bzip2' },
]

/** The program that unpacks a file; undefined for one that is not packed. */
export async function packedBy(file: FileHandle): Promise<string | undefined> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0)
  return PACKED.find(({ magic }) => magic.length <= bytesRead && magic.every((byte, i) => buffer[i] === byte))?.program
}

/** The bytes of a file from a place on. A stream of the handle itself would not let it be closed. */
async function* chunksOf(file: FileHandle, start: number): AsyncGenerator<Buffer> {
  for (let at = start; ;) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, at)
    if (bytesRead === 0) return
    at += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

/**
 * What a file held before it was packed; of one that is not packed, from `start` on. The file stays open. The stream fails when it cannot be unpacked; xz and bzip2 need their
 * program, and so does zstd before Node 22.15.
 */
export async function openUnpacked(file: FileHandle, start = 0): Promise<Readable> {
  const program = await packedBy(file)
  if (program === undefined) return Readable.from(chunksOf(file, start))
  const source = Readable.from(chunksOf(file, 0))
  if (program === 'gzip') return pipeline(source, zlib.createGunzip(), () => {})
  if (program === 'zstd' && 'createZstdDecompress' in zlib) return pipeline(source, zlib.createZstdDecompress(), () => {})
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'], timeout: UNPACK_MS })
  child.once('exit', (code) => {
    if (code !== 0) child.stdout.destroy(new Error(`${program} ended with ${code}`))
  })
  child.once('error', (error) => child.stdout.destroy(error))
  pipeline(source, child.stdin, () => {})
  child.stdout.once('close', () => child.kill())
  return child.stdout
}
