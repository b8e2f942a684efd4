// The answer of a model as the value that the job's schema wants. What has one reading alone is put right and written down; nothing is invented, and what leaves a choice is a
// fault that says how to put it right.
import { compileSchema, type SchemaFault } from '../../lib/schema/json-schema.ts'
import { isDeeper, lostNumber } from '../../lib/json/exact.ts'
import { findJson, type Mended } from '../../lib/json/find.ts'
import { fitJson } from '../../lib/json/fit.ts'
import type { SyntaxSlip } from '../../lib/json/slips.ts'
import { typesOf, type Schema } from '../../lib/schema/shape.ts'
import * as words from '../words/output.ts'

export type ReadOutput =
  /** `mended` says what was put right, a sentence each; empty for an answer that was right as it stood. */
  | { ok: true; value: unknown; mended: string[] }
  /** Both go on from “The answer cannot be used:”. `why` is a line for people, `told` is for the model: with what would fit. */
  | { ok: false; why: string; told: string }

export interface ReadOutputOptions {
  /** Put right what has one reading alone (`output.mend`). Without it, JSON is still found in a text or a fence, and taken as it was written. Default: true. */
  mend?: boolean
  /** The answer was cut at the provider's limit: no bracket is added. */
  cut?: boolean
  /** That limit, where it is known. */
  limitTokens?: number | undefined
}

/** Most times that a run asks for an answer once more because it cannot be used; a hosted one is a single answer, and has one. */
export const MAX_REPAIRS = { local: 3, hosted: 1 }

/** What is nested deeper is refused: whatever walks it later would run out of stack. */
const MAX_DEPTH = 100

/** Reads the last text of a model as its output. */
export function readOutput(text: string, schema: Schema, { mend = true, cut = false, limitTokens }: ReadOutputOptions = {}): ReadOutput {
  const fault = (why: string, withSchema = true): ReadOutput => {
    const said = cut ? words.cutAnswer(limitTokens) : why
    return { ok: false, why: said, told: withSchema ? `${said}. ${words.schemaLine(schema)}` : said }
  }
  if (text.trim() === '') return fault(words.EMPTY)
  const found = findJson(text, beginsOf(schema))
  if (found.kind === 'many') return fault(words.MANY_VALUES)
  if (found.kind === 'none') return fault(words.notJsonAnswer(found.why))
  const { json, mended } = found
  const slip = mended.filter(isInside).find((one) => !mend || (cut && one === 'bracket'))
  if (slip !== undefined) return fault(words.syntaxFault(slip))
  if (isDeeper(json, MAX_DEPTH)) return fault(words.tooDeep(MAX_DEPTH), false)
  const fitted = fitJson(compileSchema(schema), json, mend ? { spare: true } : { rounds: 0 })
  if (!fitted.ok) return misfit(fitted.faults, schema)
  const lost = lostNumber(fitted.json)
  if (lost) return fault(words.lostDigits(lost.path, lost.source), false)
  return { ok: true, value: fitted.value, mended: [...mended.map(words.mendedText), ...words.slipTexts(fitted.slips)] }
}

const isInside = (mended: Mended): mended is SyntaxSlip => mended === 'comma' || mended === 'comment' || mended === 'bracket'

/** The brackets that a value of this schema may begin with. */
function beginsOf(schema: Schema): string[] {
  const types = typesOf(schema)
  const begins = [...(types.includes('object') ? ['{'] : []), ...(types.includes('array') ? ['['] : [])]
  return begins.length > 0 || types.length > 0 ? begins : ['{', '[']
}

const misfit = (faults: readonly SchemaFault[], schema: Schema): ReadOutput => ({
  ok: false,
  why: words.misfitLine(faults, schema),
  told: words.misfitText(faults, schema),
})
