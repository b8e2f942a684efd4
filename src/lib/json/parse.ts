// The only places where JSON that came from outside becomes a value (lint: house/foreign-json). Which of them is asked says what becomes of a number that no double holds.
import { lostNumber, quoteLost } from './exact.ts'

/** JSON with a number that would become another one. */
export class NumberLost extends SyntaxError {
  override readonly name = 'NumberLost'
}

/** Reads JSON, and refuses a number that would become another one: `NumberLost`, which names it and what cures it. Else a `SyntaxError` of what is no JSON. */
export function parseJson(json: string): unknown {
  const value: unknown = JSON.parse(json)
  const lost = lostNumber(json)
  if (lost) throw new NumberLost(`${lost.path || 'it'} is ${lost.source}, a number that programs do not keep; write it as a text`)
  return value
}

/** Reads JSON for whoever has to go on with it: a number that would become another one is a text of its digits. Throws the `SyntaxError` of what is no JSON. */
export function parseDigits(json: string): unknown {
  const value: unknown = JSON.parse(json)
  const quoted = quoteLost(json)
  return quoted === json ? value : JSON.parse(quoted)
}

/** Reads JSON to be kept and shown: where a number would become another one, the text itself is the value, as it was written. */
export function parseKept(json: string): unknown {
  const value: unknown = JSON.parse(json)
  return lostNumber(json) ? json : value
}

/** Reads JSON of which only the form counts, such as a schema with the greatest integer of 64 bits in it: its numbers are doubles. */
export function parseDoubles(json: string): unknown {
  return JSON.parse(json)
}

/** The value, or undefined where `parse` cannot read the text. */
export function tryParse(json: string, parse: (json: string) => unknown = parseJson): unknown {
  try {
    return parse(json)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
