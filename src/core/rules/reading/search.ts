import { foundPlaces, goesOn, PAGE_END } from '../../words/reading.ts'
import { endOfLine } from './lines.ts'
import type { Page } from './page.ts'

export interface Search {
  search: string
  ignoreCase: boolean
  /** First byte that is searched. */
  offset: number
  /** Most places that are shown. */
  count: number
  /** Lines before and after each. */
  context: number
  maxBytes: number
}

/** A line that is longer is shown around the place alone, by so many characters at each side. */
const MAX_LINE = 400
const AROUND = 150

/**
 * The places where a text stands in a result: each line of its, with the number of the line and the byte. Of a long line each place counts by itself. A plain text and no
 * pattern is looked for, and all of it goes forward, in linear time.
 */
export function searchIn(id: string, text: string, { search, ignoreCase, offset, count, context, maxBytes }: Search): Page {
  const [within, wanted] = ignoreCase ? [folded(text), folded(search)] : [text, search]
  const lines = walkLines(text)
  const shown: string[] = []
  let [places, bytes, shownTo] = [0, 0, 0]
  let next: number | undefined
  for (let at = within.indexOf(wanted, positionOf(text, offset)); at !== -1;) {
    places++
    const { start, end, line, byte } = lines.to(at)
    const isLong = end - start > MAX_LINE
    if (next === undefined) {
      const [from, to] = isLong
        ? [Math.max(start, at - AROUND), Math.min(end, at + wanted.length + AROUND)]
        : [linesBefore(text, start, context), linesAfter(text, end, context)]
      // What was shown with a place before is not shown again.
      const part = text.slice(Math.max(from, Math.min(shownTo, start)), to).toWellFormed()
      const said = `line ${line}, byte ${byte()}${isLong ? ', a part of it' : ''}:\n${part}`
      const size = Buffer.byteLength(said) + 1
      if (shown.length > 0 && (shown.length >= count || bytes + size > maxBytes)) next = byte()
      else {
        shown.push(said)
        bytes += size
        shownTo = to + 1
      }
    }
    at = within.indexOf(wanted, isLong ? at + Math.max(wanted.length, AROUND + 1) : Math.max(end, at + 1))
  }
  const how = { id, search, ...(ignoreCase && { ignoreCase }), ...(context > 0 && { context }) }
  const end = next === undefined ? PAGE_END : goesOn({ ...how, offset: next })
  return { ok: true, text: [foundPlaces(id, search, places, offset), ...shown, end].join('\n') }
}

const positionOf = (text: string, offset: number) => (offset === 0 ? 0 : Buffer.from(text).subarray(0, offset).toString().length)

/** Where lines begin and end, and how many bytes stand before a position: asked for positions that only grow. */
function walkLines(text: string) {
  let [start, end, line] = [0, endOfLine(text, 0), 1]
  let [counted, bytes] = [0, 0]
  return {
    to(at: number) {
      while (at > end) {
        start = end + 1
        end = endOfLine(text, start)
        line++
      }
      const byte = () => {
        bytes += Buffer.byteLength(text.slice(counted, at))
        counted = at
        return bytes
      }
      return { start, end, line, byte }
    },
  }
}

/** Where the line begins that is so many before; no further back than so many lines may be long. */
function linesBefore(text: string, start: number, lines: number): number {
  const before = text.slice(Math.max(0, start - MAX_LINE * lines), start)
  let at = before.length
  for (let passed = 0; passed <= lines && at >= 0; passed++) at = at === 0 ? -1 : before.lastIndexOf('\n', at - 1)
  return start - before.length + at + 1
}

function linesAfter(text: string, end: number, lines: number): number {
  const after = text.slice(end, end + MAX_LINE * lines)
  let at = 0
  for (let passed = 0; passed < lines && at !== -1; passed++) at = after.indexOf('\n', at + 1)
  return at === -1 ? end + after.length : end + at
}

const CHUNK = 65_536

/** In small letters, each in its place: a letter whose small one is longer stays as it is. */
function folded(text: string): string {
  const parts: string[] = []
  for (let at = 0; at < text.length; at += CHUNK) {
    const part = text.slice(at, at + CHUNK)
    const lower = part.toLowerCase()
    parts.push(lower.length === part.length ? lower : part.replaceAll(/\p{Lu}/gu, letterInPlace))
  }
  return parts.join('')
}

function letterInPlace(letter: string): string {
  const lower = letter.toLowerCase()
  return lower.length === letter.length ? lower : letter
}
