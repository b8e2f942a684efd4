/** Nested deeper, what reads a value calls itself too often. */
const MAX_DEPTH = 256
/** Lists, objects, members and items in all: each costs far more than its bytes. */
const MAX_PARTS = 500_000

const QUOTE = 34
const COMMA = 44
const BACKSLASH = 92
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/** A foreign JSON text that is not parsed, since it would cost too much. */
export class JsonTooLarge extends Error {
  override readonly name = 'JsonTooLarge'
}

/**
 * Parses a foreign JSON text whose bytes are bounded already. Its depth and its parts are counted before, in one pass. Throws `JsonTooLarge`, or the `SyntaxError` of
 * what is not JSON.
 */
export function parseBounded(text: string): unknown {
  let depth = 0
  let parts = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        break
      case OPEN_LIST:
      case OPEN_OBJECT:
        parts++
        if (++depth > MAX_DEPTH) throw new JsonTooLarge(`is nested deeper than ${MAX_DEPTH}`)
        break
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--
        break
      case COMMA:
        parts++
        break
    }
    if (parts > MAX_PARTS) throw new JsonTooLarge(`has more than ${MAX_PARTS} parts`)
  }
  const value: unknown = JSON.parse(text)
  return value
}

/** Where the string ends that begins at `from`; the end of the text when it does not. */
function endOfString(text: string, from: number): number {
  let at = from + 1
  while (at < text.length) {
    const next = text.indexOf('"', at)
    if (next < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(next - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return next
    at = next + 1
  }
  return text.length
}
