import { BackupFault, LAST_ROW } from './format.ts'

/** Longest line about a table; rows are not lines to us. */
const MAX_LINE = 1_000_000
const NEWLINE = 0x0a
/** As it stands after the last row: no row has a line of its own like it, since COPY doubles each backslash of a value. */
const AFTER_ROWS = Buffer.from(`\n${LAST_ROW}\n`)

/** A text that is read once, from its beginning: lines, and rows between them. */
export interface BackupText {
  /** The next line without its end; undefined after the last one. Throws a `BackupFault` for one without an end. */
  line(): Promise<string | undefined>
  /** The rows that come next, in pieces of any size. Throws a `BackupFault` when the text ends among them. */
  rows(): AsyncGenerator<Buffer>
}

/** Reads what `chunks` give. */
export function createText(chunks: AsyncIterable<Buffer>): BackupText {
  const source = chunks[Symbol.asyncIterator]()
  let pending: Buffer = Buffer.alloc(0)

  /** False after the last chunk. */
  async function more(): Promise<boolean> {
    const { done, value } = await source.next()
    if (done) return false
    pending = pending.length === 0 ? value : Buffer.concat([pending, value])
    return true
  }

  return {
    async line() {
      for (let at = pending.indexOf(NEWLINE); ; at = pending.indexOf(NEWLINE)) {
        if (at > MAX_LINE || (at < 0 && pending.length > MAX_LINE)) throw new BackupFault('it has a line that is too long')
        if (at >= 0) {
          const line = pending.toString('utf8', 0, at)
          pending = pending.subarray(at + 1)
          return line
        }
        if (await more()) continue
        if (pending.length === 0) return undefined
        throw new BackupFault('it ends in the middle of a line')
      }
    },
    async *rows() {
      // Its first byte was given already: as after a row, so that no rows end alike.
      pending = Buffer.concat([AFTER_ROWS.subarray(0, 1), pending])
      for (;;) {
        const at = pending.indexOf(AFTER_ROWS)
        // What may be the beginning of the end is kept back.
        const upTo = at >= 0 ? at + 1 : pending.length - AFTER_ROWS.length + 1
        if (upTo > 1) {
          yield pending.subarray(1, upTo)
          pending = pending.subarray(upTo - 1)
        }
        if (at >= 0) {
          pending = pending.subarray(AFTER_ROWS.length)
          return
        }
        if (!(await more())) throw new BackupFault('it ends in the middle of its rows')
      }
    },
  }
}
