import { cutBytes } from '../../../lib/text.ts'
import { goesOn, noSuchByte, noSuchLine, PAGE_END, pageOfBytes, pageOfLines } from '../../words/reading.ts'
import { countLines } from './shape.ts'
import { failed, type Page } from './page.ts'

/** Lines of a result, from `line` on (from 1), as many as fit into `maxBytes`. A line that does not fit alone is given by its bytes. */
export function readLines(id: string, text: string, { line, count, maxBytes }: { line: number; count: number; maxBytes: number }): Page {
  const lines = countLines(text)
  if (line > lines) return failed(noSuchLine(lines))
  let at = 0
  for (let passed = 1; passed < line; passed++) at = text.indexOf('\n', at) + 1
  const taken: string[] = []
  const begin = at
  for (let bytes = 0; taken.length < count && line + taken.length <= lines;) {
    const end = endOfLine(text, at)
    const one = text.slice(at, end)
    bytes += Buffer.byteLength(one) + 1
    if (bytes > maxBytes) break
    taken.push(one)
    at = end + 1
  }
  if (taken.length === 0) {
    const offset = Buffer.byteLength(text.slice(0, begin))
    return readBytes(id, text, { offset, count: Infinity, maxBytes })
  }
  const last = line + taken.length - 1
  return {
    ok: true,
    text: [pageOfLines(id, line, last, lines), ...taken, last < lines ? goesOn({ id, line: last + 1 }) : PAGE_END].join('\n'),
  }
}

export function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end
}

/** Bytes of a result, from `offset` on, at whole characters, as many as fit into `maxBytes`. */
export function readBytes(
  id: string,
  text: string,
  { offset, count, maxBytes }: { offset: number; count: number; maxBytes: number },
): Page {
  const bytes = Buffer.from(text)
  if (offset >= bytes.length) return failed(noSuchByte(bytes.length))
  const from = characterAt(bytes, offset)
  const most = Math.max(Math.min(count, maxBytes), MIN_BYTES)
  // Four bytes more are enough to see whether the last character is whole.
  const part = cutBytes(bytes.subarray(from, from + most + 4).toString(), most).text
  const to = Math.min(from + Buffer.byteLength(part), bytes.length)
  const end = to < bytes.length ? goesOn({ id, offset: to }) : PAGE_END
  return { ok: true, text: `${pageOfBytes(id, from, to - 1, bytes.length)}\n${part}\n${end}` }
}

/** A character has so many bytes at most, so that each page goes on. */
const MIN_BYTES = 4

/** Where the character begins in which a byte stands. */
function characterAt(bytes: Buffer, offset: number): number {
  let at = offset
  while (at > 0 && (bytes.readUInt8(at) & 0xc0) === 0x80) at--
  return at
}
