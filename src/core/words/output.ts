// What is said of an answer that has to be JSON: to the model, what it must be and why it was not taken; to people, what was put right.
import type { SchemaFault } from '../../lib/schema/json-schema.ts'
import type { Mended } from '../../lib/json/find.ts'
import type { Slip } from '../../lib/json/mend.ts'
import type { SyntaxSlip } from '../../lib/json/slips.ts'
import type { Ungrounded } from '../rules/evidence/grounding.ts'
import type { Schema } from '../../lib/schema/shape.ts'
import { faultText, short } from './mistakes.ts'

const MAX_LISTED = 10
const MAX_IN_LINE = 5
const MAX_SCHEMA = 8000

/** Asks for the answer in words, where a provider has no format for it. */
export const outputWords = (schema: Schema): string =>
  `Your last message must be one JSON value that matches this JSON Schema, with nothing before or after it:\n${JSON.stringify(schema)}`

export const EMPTY = 'it is empty'
export const MANY_VALUES = 'it holds more than one JSON value, and one alone can be the answer'
export const notJsonAnswer = (why: string): string => `it is not JSON (${why})`
export const tooDeep = (most: number): string => `it is nested deeper than ${most} levels`
export const lostDigits = (path: string, source: string): string =>
  `${placeOf(path)} is ${short(source)}, a number that programs do not keep digit for digit; a smaller one or a text would be`

/** A cut answer is asked for in fewer words, or it is cut again. */
export const cutAnswer = (limitTokens: number | undefined): string =>
  `it was cut off at the limit ${limitTokens === undefined ? '' : `of ${limitTokens} tokens `}for an answer; say the same in fewer words, so that the whole of it fits`

export const schemaLine = (schema: Schema): string => `The schema is: ${short(JSON.stringify(schema), MAX_SCHEMA)}`

/** What does not fit the schema, a line each: where, what stands there, and what would fit. Then the schema. */
export function misfitText(faults: readonly SchemaFault[], schema: Schema): string {
  const lines = faults.slice(0, MAX_LISTED).map((fault) => `- ${faultText(fault, schema)}`)
  const more = faults.length > MAX_LISTED ? [`- and ${faults.length - MAX_LISTED} more`] : []
  return ['it does not match the schema:', ...lines, ...more, schemaLine(schema)].join('\n')
}

/** The same in one line, without the schema. */
export function misfitLine(faults: readonly SchemaFault[], schema: Schema): string {
  const said = faults.slice(0, MAX_IN_LINE).map((fault) => faultText(fault, schema))
  const more = faults.length > MAX_IN_LINE ? [`And ${faults.length - MAX_IN_LINE} more`] : []
  return `it does not match the schema: ${[...said, ...more].join(' ').replace(/\.$/, '')}`
}

/** Values that stand in no result of a tool, a line each. */
export function ungroundedText(values: readonly Ungrounded[]): string {
  const lines = values.slice(0, MAX_LISTED).map(({ path, value }) => `- ${path} is ${short(JSON.stringify(value))}`)
  const more = values.length > MAX_LISTED ? [`- and ${values.length - MAX_LISTED} more`] : []
  return ['no result of a tool has these values, and each must be taken from one as it stands there:', ...lines, ...more].join('\n')
}

/** The same in one line. */
export function ungroundedLine(values: readonly Ungrounded[]): string {
  const said = values.slice(0, MAX_IN_LINE).map(({ path, value }) => `${path} is ${short(JSON.stringify(value))}`)
  const more = values.length > MAX_IN_LINE ? [`and ${values.length - MAX_IN_LINE} more`] : []
  return `${[...said, ...more].join(', ')}.`
}

const SYNTAX_FAULTS: Record<SyntaxSlip, string> = {
  comma: 'there is a comma before a closing bracket',
  comment: 'there is a comment in it',
  bracket: 'closing brackets are missing at its end',
}
export const syntaxFault = (slip: SyntaxSlip): string => notJsonAnswer(SYNTAX_FAULTS[slip])

const MENDED: Record<Mended, string> = {
  bom: 'A byte order mark was left out.',
  thoughts: 'The thoughts before the answer were left out.',
  fence: 'The fence around the JSON was left out.',
  around: 'The text around the JSON was left out.',
  comma: 'A comma before a closing bracket was left out.',
  comment: 'A comment was left out.',
  bracket: 'Closing brackets that were missing at the end were added.',
}
export const mendedText = (mended: Mended): string => MENDED[mended]

/** What was put right in values, a sentence each, with what stood there. */
export function slipTexts(slips: readonly Slip[]): string[] {
  const said = slips.slice(0, MAX_LISTED).map(slipText)
  return slips.length > MAX_LISTED ? [...said, `And ${slips.length - MAX_LISTED} more values were put right.`] : said
}

const slipText = ({ path, was, is }: Slip): string =>
  is === undefined ? `${path} was left out: ${short(was)}.` : `${placeOf(path)} was ${short(was)} and is read as ${short(is)}.`

const placeOf = (path: string) => (path === '' ? 'the whole' : path)
