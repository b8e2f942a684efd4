// What a case expects of a run, and whether a run is so: endings, values, words, calls. Nothing here asks a model.
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { FAILURES, type FailureCode } from '../../core/failure-codes.ts'
import type { RunView } from '../../core/view.ts'
import { numbersIn } from '../../lib/numbers.ts'

export const ENDINGS = ['succeeded', 'incomplete', 'nothing_new', 'failed'] as const
export type ExpectedEnding = (typeof ENDINGS)[number]

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const near = z.strictObject({
  near: z.union([z.number(), z.array(z.number())]).describe('A number, or a list of them, each in its place.'),
  within: z.number().nonnegative().describe('How far off it may be.'),
})

/** What a value must be: a scalar or a list of them is itself; a mapping says how it is compared. */
const valueSchema = z.union(
  [
    scalar,
    z.array(scalar),
    near,
    z.strictObject({ length: z.int().min(0).describe('Of a list or a text.') }),
    z.strictObject({ oneOf: z.array(scalar).min(1).describe('Any of these.') }),
  ],
  { error: 'must be a value, a list of them, { near: 5.7, within: 0.05 }, { length: 14 } or { oneOf: [a, b] }' },
)
export type ExpectedValue = z.output<typeof valueSchema>

const wordSchema = z.union([z.string().min(1), z.number()])
const isCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code)

export const expectSchema = z.strictObject({
  ending: z
    .enum(ENDINGS)
    .default('succeeded')
    .describe('How the run must end. nothing_new is a green run whose model said that there is nothing to report.'),
  reasons: z
    .array(z.string().refine(isCode, 'is no failure code; docs/failures.md lists them'))
    .default([])
    .describe('Codes that must be among the reasons why the run is not green.'),
  output: z.record(z.string(), valueSchema).default({}).describe('Values of the output by path, such as rows.0.rate.'),
  says: z.array(wordSchema).default([]).describe('What the answer must hold: texts, or numbers however they are written.'),
  never: z.array(wordSchema).default([]).describe('What it must not hold.'),
  calls: z
    .record(
      z.string(),
      z.strictObject({
        min: z.int().min(0).default(0).describe('At least so often.'),
        max: z.int().min(0).optional().describe('At most so often; 0 for a tool that must not be called.'),
      }),
    )
    .default({})
    .describe('How often a tool, written as server.tool, must and may be called.'),
})
export type Expectation = z.output<typeof expectSchema>

/** How a run ended, in the words of a case. Undefined for one that a person must help or that was cancelled. */
export function endingOf({ status, ending }: Pick<RunView, 'status' | 'ending'>): ExpectedEnding | undefined {
  if (status === 'succeeded') return ending?.kind === 'nothing-new' ? 'nothing_new' : 'succeeded'
  return status === 'incomplete' || status === 'failed' ? status : undefined
}

/** What is wrong with the values and words of a run, and with its calls; nothing of its ending. */
export function contentFaults(run: RunView, expected: Expectation): string[] {
  const faults: string[] = []
  for (const [path, value] of Object.entries(expected.output)) {
    const found = valueAt(run.output, path)
    if (!matches(found, value)) faults.push(`output.${path} is ${shown(found)}, not ${shown(value)}`)
  }
  const text = wordsOf(run)
  for (const word of expected.says) if (!holds(text, word)) faults.push(`the answer does not say ${shown(word)}`)
  for (const word of expected.never) if (holds(text, word)) faults.push(`the answer says ${shown(word)}`)
  for (const [tool, { min, max }] of Object.entries(expected.calls)) {
    const made = run.toolCalls.filter((call) => `${call.server}.${call.tool}` === tool && call.status !== 'refused').length
    if (made < min) faults.push(`${tool} was called ${made} times, not ${min} or more`)
    if (max !== undefined && made > max) faults.push(`${tool} was called ${made} times, not ${max} at most`)
  }
  return faults
}

/** What is wrong with how a run ended. */
export function endingFaults(run: RunView, { ending, reasons }: Expectation): string[] {
  const found = endingOf(run)
  const codes = run.reasons.map(({ code }) => code)
  const because = codes.length === 0 ? '' : ` (${codes.join(', ')})`
  return [
    ...(found === ending ? [] : [`the run is ${found ?? run.status}${because}, not ${ending}`]),
    ...reasons.flatMap((code) => (codes.some((one) => one === code) ? [] : [`${code} is not among its reasons${because}`])),
  ]
}

/** The answer and, of a run that the model gave up, its words on why. */
function wordsOf({ outputText, ending }: RunView): string {
  const words = ending === null ? [] : ending.kind === 'nothing-new' ? [ending.why] : [ending.what, ending.draft ?? '']
  return [outputText ?? '', ...words].join('\n')
}

function valueAt(value: unknown, path: string): unknown {
  let at = value
  for (const part of path.split('.'))
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, part) ? Reflect.get(at, part) : undefined
  return at
}

function matches(found: unknown, expected: ExpectedValue): boolean {
  if (typeof expected !== 'object' || expected === null || Array.isArray(expected)) return isDeepStrictEqual(found, expected)
  if ('length' in expected) return (typeof found === 'string' || Array.isArray(found)) && found.length === expected.length
  if ('oneOf' in expected) return expected.oneOf.some((one) => one === found)
  const { near: wanted, within } = expected
  if (!Array.isArray(wanted)) return isNear(found, wanted, within)
  return Array.isArray(found) && found.length === wanted.length && wanted.every((one, index) => isNear(found[index], one, within))
}

/** Room for what binary fractions add: 9.9 is within 0.1 of 9.8. */
const ROUNDING = 1e-9

const isNear = (found: unknown, wanted: number, within: number) =>
  typeof found === 'number' && Math.abs(found - wanted) <= within + ROUNDING

function holds(text: string, word: string | number): boolean {
  if (typeof word === 'string') return text.toLowerCase().includes(word.toLowerCase())
  return numbersIn(text).some((number) => Math.abs(number - word) <= ROUNDING)
}

const MAX_SHOWN = 120

function shown(value: unknown): string {
  const text = value === undefined ? 'missing' : JSON.stringify(value)
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`
}
