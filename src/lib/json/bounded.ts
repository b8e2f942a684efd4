import { parseDigits } from './parse.ts'
import { endOfString } from './strings.ts'

/** Nested deeper, what reads a value calls itself too often. */
const MAX_DEPTH = 256
/** Lists, objects, members and items in all: each costs far more than its bytes. */
const MAX_PARTS = 500_000

const QUOTE = 34
const COMMA = 44
const OPEN_LIST = 91
const CLOSE_LIST = 93
const OPEN_OBJECT = 123
const CLOSE_OBJECT = 125

/** A foreign JSON text that is not parsed, since it would cost too much. */
export class JsonTooLarge extends Error {
  override readonly name = 'JsonTooLarge'
}

/**
 * Parses a foreign JSON text whose bytes are bounded already, with `parse`. Its depth and its parts are counted before, in one pass. Throws `JsonTooLarge`, or what
 * `parse` throws of what is not JSON.
 */
export function parseBounded(text: string, parse: (text: string) => unknown = parseDigits): unknown {
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
  return parse(text)
}
