/** A JSON value in a text, from its first bracket on. */
export interface FoundValue {
  /** Where it ends in the text. */
  end: number
  /** Its text, mended. */
  json: string
  mended: SyntaxSlip[]
}

export type SyntaxSlip = 'comma' | 'comment' | 'bracket'

const CLOSING: Record<string, string> = { '{': '}', '[': ']' }
const FENCE = '```'
/** Brackets, commas, white space, comments with their line's end, and the letters of numbers, true, false and null. Texts are read by hand. */
const TOKEN = /[{}[\],]|\s+|[:+\-.\deEtrufalsn]+|\/\/[^\n]*\n|```/y

/**
 * Reads the one value that begins with the bracket at `start`, in one pass. Puts right what has one reading alone: a comma before a closing bracket, a comment to the end of
 * its line, and closing brackets that are missing at the end of the text or of its fence. Undefined when it is no such value; whether it is JSON shows when it is parsed.
 */
export function scanValue(text: string, start: number): FoundValue | undefined {
  const due: string[] = []
  const parts: string[] = []
  const mended = new Set<SyntaxSlip>()
  /** The last token that is no white space, and where it stands in `parts`. */
  let last = { token: '', index: 0 }
  for (let at = start; ;) {
    const token = tokenAt(text, at)
    if (token === undefined) return undefined
    if (token === '' || token === FENCE) {
      // After a comma there was more to come.
      if (last.token === ',') return undefined
      return { end: at, json: [...parts, ...due.toReversed()].join(''), mended: [...mended, 'bracket'] }
    }
    at += token.length
    if (token.startsWith('//')) {
      mended.add('comment')
      parts.push('\n')
    } else if (token.trim() === '') {
      parts.push(token)
    } else {
      if (token === ',' && (last.token in CLOSING || last.token === ',')) return undefined
      if (token === '}' || token === ']') {
        if (due.pop() !== token) return undefined
        if (last.token === ',') {
          parts[last.index] = ''
          mended.add('comma')
        }
      }
      const closing = CLOSING[token]
      if (closing !== undefined) due.push(closing)
      last = { token, index: parts.length }
      parts.push(token)
      if (due.length === 0) return { end: at, json: parts.join(''), mended: [...mended] }
    }
  }
}

/** The token at a place: empty at the end of the text, undefined where none can stand. */
function tokenAt(text: string, at: number): string | undefined {
  if (at >= text.length) return ''
  if (text[at] === '"') return stringAt(text, at)
  TOKEN.lastIndex = at
  return TOKEN.exec(text)?.[0]
}

function stringAt(text: string, start: number): string | undefined {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '"') return text.slice(start, at + 1)
    if (text[at] === '\\') at++
  }
  return undefined
}
