import { closeSync, constants, openSync, readSync } from 'node:fs'

const MAX_BYTES = 1_000_000

/**
 * The text of a small file that somebody names, such as a secret. Waits for nothing: a pipe that nobody writes into is empty. Throws what the system says of a file that
 * cannot be read, and an error for one that goes on beyond a megabyte, such as a device.
 */
export function readAtOnce(file: string): string {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const chunks: Buffer[] = []
    for (let size = 0; ;) {
      const chunk = Buffer.alloc(16_384)
      const read = readSync(fd, chunk)
      if (read === 0) return Buffer.concat(chunks).toString('utf8')
      chunks.push(chunk.subarray(0, read))
      size += read
      if (size > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`)
    }
  } finally {
    closeSync(fd)
  }
}
