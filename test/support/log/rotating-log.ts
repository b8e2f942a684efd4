import { appendFileSync, closeSync, copyFileSync, openSync, readSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

/** A log that is written from another one, and rotated while it is: each line stands in one of its files. */
export interface RotatingLog extends Disposable {
  file: string
  /** Lines of the gateway so far that say what policy decided. */
  checks(): number
  /** Moves the file away, or copies and cuts it. Files of before move on, and none is ever removed; from the fourth on they are packed. */
  rotate(how: 'moved' | 'cut'): void
}

const LOOK_MS = 10
/** Files that are not packed. */
const PLAIN = 3
const CHUNK = 1_048_576

export function startRotatingLog(source: string, file: string): RotatingLog {
  const from = openSync(source, 'r')
  const buffer = Buffer.alloc(CHUNK)
  let rotations = 0
  let checks = 0
  let rest = Buffer.alloc(0)
  /** Whole lines alone, as a program writes them that rotates its own log. */
  const ship = () => {
    for (;;) {
      const bytes = readSync(from, buffer, 0, CHUNK, null)
      if (bytes === 0) return
      const read = Buffer.concat([rest, buffer.subarray(0, bytes)])
      const end = read.lastIndexOf('\n') + 1
      rest = read.subarray(end)
      appendFileSync(file, read.subarray(0, end))
      checks += read.subarray(0, end).toString().split('"authorize check"').length - 1
    }
  }
  const timer = setInterval(ship, LOOK_MS)
  return {
    file,
    checks: () => checks,
    rotate(how) {
      ship()
      for (let n = rotations; n > 0; n--) {
        if (n > PLAIN) renameSync(`${file}.${n}.gz`, `${file}.${n + 1}.gz`)
        else if (n < PLAIN) renameSync(`${file}.${n}`, `${file}.${n + 1}`)
        else {
          writeFileSync(`${file}.${n + 1}.gz`, gzipSync(readFileSync(`${file}.${n}`)))
          rmSync(`${file}.${n}`)
        }
      }
      if (how === 'moved') renameSync(file, `${file}.1`)
      else {
        copyFileSync(file, `${file}.1`)
        truncateSync(file)
      }
      rotations++
    },
    [Symbol.dispose]: () => {
      clearInterval(timer)
      closeSync(from)
    },
  }
}
