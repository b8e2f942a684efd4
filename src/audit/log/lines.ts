const NEWLINE = 0x0a
/** Pomerium logs whole parameters, and they may be as large as a route lets a request be. A longer line is not read. */
const MAX_LINE_BYTES = 33_554_432
/** Of a longer line, to know whose it is. */
const HEAD_BYTES = 65_536

export interface Line {
  /** Its beginning, when the line is too long. */
  text: string
  tooLong: boolean
  /** Bytes of the source up to the end of this line, its newline included. */
  end: number
}

/** Splits bytes into lines, each with where it ends. What comes after the last newline is kept for the next bytes. */
export function createLineSplitter(start = 0) {
  let rest: Buffer[] = []
  let restBytes = 0
  let offset = start
  return {
    /** Lines that these bytes complete. */
    *push(chunk: Buffer): Generator<Line> {
      let from = 0
      for (;;) {
        const at = chunk.indexOf(NEWLINE, from)
        if (at === -1) break
        const part = chunk.subarray(from, at)
        const whole = rest.length === 0 ? part : Buffer.concat([...rest, part])
        offset += restBytes + part.length + 1
        from = at + 1
        const tooLong = restBytes + part.length > MAX_LINE_BYTES
        const kept = tooLong ? whole.subarray(0, HEAD_BYTES) : whole
        rest = []
        restBytes = 0
        yield { text: kept.toString('utf8').replace(/\r$/, ''), tooLong, end: offset }
      }
      const left = chunk.subarray(from)
      restBytes += left.length
      // The rest of a line that is too long is not kept in memory.
      if (restBytes <= MAX_LINE_BYTES) rest.push(Buffer.from(left))
      else rest = [Buffer.concat([...rest, left]).subarray(0, HEAD_BYTES)]
    },
    /** Where the last whole line ended. */
    position: () => offset,
    /** The last line, if it has no newline. */
    end(): Line | undefined {
      if (restBytes === 0) return undefined
      const tooLong = restBytes > MAX_LINE_BYTES
      const whole = Buffer.concat(rest)
      const kept = tooLong ? whole.subarray(0, HEAD_BYTES) : whole
      return { text: kept.toString('utf8').replace(/\r$/, ''), tooLong, end: offset + restBytes }
    },
  }
}
