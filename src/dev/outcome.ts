import type { Reason } from '../core/run.ts'
import type { RunView, ToolCallView } from '../core/view.ts'
import { showLine } from '../lib/text.ts'
import { callText, outcomeOf, type Recording } from './models/recording.ts'

/** The input of the run that was recorded. */
export const inputOf = ({ input }: Recording): Record<string, unknown> =>
  typeof input === 'object' && input !== null ? Object.fromEntries(Object.entries(input)) : {}

/** What came of a run otherwise than when it was recorded, a line each. */
export function differences(expected: Recording['expect'], run: RunView): string[] {
  const now = outcomeOf(run)
  const codes = [...new Set(expected.codes)].toSorted()
  const missing = without(expected.calls, now.calls)
  const more = without(now.calls, expected.calls)
  return [
    ...(expected.status === now.status ? [] : [`was ${expected.status}, is ${now.status}`]),
    ...(String(codes) === String(now.codes) ? [] : [`reasons were ${list(codes)}, are ${list(now.codes)}`]),
    ...(missing.length === 0 ? [] : [`not called as before: ${list(missing)}`]),
    ...more.map((call) => `called otherwise: ${call.trim()}${whyOf(run.toolCalls.find((one) => callText(one) === call))}`),
  ]
}

/** The reasons of a run that its failure does not say already. */
export const reasonsBeside = ({ reasons, failure }: Pick<RunView, 'reasons' | 'failure'>): Reason[] =>
  reasons.filter(({ code, message }) => code !== failure?.code || message !== failure.message)

/** What the echo model does not do, where a run is not green for it. */
export const echoNotes = ({ reasons }: Pick<RunView, 'reasons'>): string[] =>
  reasons.some(({ code }) => code === 'NO_TOOL_RESULT')
    ? ['the echo model calls only what is under tools.<server>.repeatable: write the tools there that may be called twice without harm']
    : []

const list = (words: readonly string[]) => (words.length === 0 ? 'none' : words.join(', '))

/** Characters of the result of a call. */
const MAX_SHOWN = 200

/** What went wrong with a call: our failure, or what the tool itself said. */
function whyOf(call: ToolCallView | undefined): string {
  const why = call?.failure?.message ?? (call && call.status !== 'ok' ? call.result?.text : undefined)
  return why === undefined ? '' : `: ${showLine(why.slice(0, MAX_SHOWN))}`
}

/** Each is taken away as often as it is there. */
function without(from: readonly string[], what: readonly string[]): string[] {
  const left = [...what]
  return from.filter((one) => {
    const at = left.indexOf(one)
    if (at === -1) return true
    left.splice(at, 1)
    return false
  })
}
