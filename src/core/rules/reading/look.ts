import { parseDoubles } from '../../../lib/json/parse.ts'
import type { PartialSign } from '../../run.ts'
import { partialSign, signOf } from '../evidence/partial.ts'
import { jsonIn, shapeOf } from './shape.ts'

/** What is seen of a large result at a glance. */
export interface Look {
  shape: string
  /** How the server says that there is more. */
  rest: PartialSign | null
}

/** Of a longer text only JSON that is the whole of it, or its last line, is looked for. */
const MAX_SEARCHED = 1_048_576

/** Looks at a result: its shape, and whether it says that it is not the whole. */
export function lookAt(text: string): Look {
  // Its numbers do not matter here.
  const found = jsonIn(text, parseDoubles)
  const rest = text.length <= MAX_SEARCHED ? partialSign(text) : signOf(found?.value, found ? text.slice(0, found.at) : text)
  return { shape: shapeOf(text, found?.value), rest: rest ?? null }
}
