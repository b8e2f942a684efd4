import { isDeeper } from '../../../lib/json/exact.ts'
import { parseDoubles, tryParse } from '../../../lib/json/parse.ts'
import type { PartialSign } from '../../run.ts'
import { partialSign, signOf } from '../evidence/partial.ts'
import { shapeOf } from './shape.ts'

/** What is seen of a large result at a glance. */
export interface Look {
  shape: string
  /** How the server says that there is more. */
  rest: PartialSign | null
}

/** JSON that is nested deeper is text. */
const MAX_DEPTH = 1000
/** Of a longer text only JSON that is the whole of it, or its last line, is looked for. */
const MAX_SEARCHED = 1_048_576

/** Looks at a result: its shape, and whether it says that it is not the whole. */
export function lookAt(text: string): Look {
  const end = text.lastIndexOf('\n') + 1
  const whole = jsonOf(text)
  const last = whole === undefined && end > 0 ? jsonOf(text.slice(end)) : undefined
  const value = whole ?? last
  const around = whole === undefined ? (last === undefined ? text : text.slice(0, end)) : ''
  const rest = text.length <= MAX_SEARCHED ? partialSign(text) : signOf(value, around)
  return { shape: shapeOf(text, value), rest: rest ?? null }
}

/** The numbers of which do not matter here. */
function jsonOf(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text) || isDeeper(text, MAX_DEPTH)) return undefined
  const value = tryParse(text, parseDoubles)
  return typeof value === 'object' && value !== null ? value : undefined
}
