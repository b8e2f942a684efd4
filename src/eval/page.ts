// A trial as a page for people, in Markdown: what was expected, what the model was told, what it did, what came of it.
import type { RunView } from '../core/view.ts'
import { cutMiddle, showText, sizeText } from '../lib/text.ts'
import type { Trial } from './score.ts'

const MAX_RESULT_BYTES = 4000

/** Name of the page's file. */
export const pageNameOf = ({ arm, case: name, repeat }: Pick<Trial, 'arm' | 'case' | 'repeat'>): string =>
  `${`${arm}-${name}-${repeat}`.replaceAll(/[^\w.-]+/g, '-')}.md`

/** The page. What came from outside is in fences that it cannot close. */
export function pageOf(trial: Trial): string {
  const { run } = trial
  const attempt = run.attempts.at(-1)
  const reasons = run.reasons.map(({ code, message }) => `- ${code}: ${oneLine(message)}`)
  return [
    `# ${trial.case}, ${trial.arm}, run ${trial.repeat}: ${trial.verdict}`,
    ...(trial.faults.length === 0 ? ['As expected.'] : [trial.faults.map((fault) => `- ${oneLine(fault)}`).join('\n')]),
    `Run \`${run.id}\` of ${run.job}: **${run.status}**, ${run.turns.length} turns, ${run.toolCalls.length} calls, ${run.usage.inputTokens + run.usage.outputTokens} tokens, ${run.cost.usd === null ? 'no price' : `${run.cost.usd.toFixed(4)} USD`}.`,
    ...(reasons.length === 0 ? [] : [reasons.join('\n')]),
    ...section('Instructions', attempt?.instructions),
    ...section('Prompt', attempt?.prompt),
    '## What it did',
    ...run.turns.flatMap((turn) => turnOf(turn, run)),
    ...section('Answer', run.outputText),
    ...section('Output', run.output === null ? null : JSON.stringify(run.output, null, 2)),
  ].join('\n\n')
}

function turnOf({ number, items, stopReason }: RunView['turns'][number], run: RunView): string[] {
  const words = items.flatMap((item) => (item.type === 'message' || item.type === 'refusal' ? [fence(item.text)] : []))
  const calls = run.toolCalls.filter((call) => call.turn === number)
  return [`### Turn ${number} (${stopReason})`, ...words, ...calls.flatMap(callOf)]
}

const callOf = ({ server, tool, status, arguments: args, result, requestId }: RunView['toolCalls'][number]): string[] => [
  `\`${oneLine(server === '' ? tool : `${server}.${tool}`)}\`: ${status}${requestId === null ? '' : `, request \`${oneLine(requestId)}\``}`,
  fence(typeof args === 'string' ? args : JSON.stringify(args)),
  ...(result ? [fence(shorten(result.text))] : []),
]

/** The beginning and the end of a long result: its end often says that it is not the whole. */
function shorten(text: string): string {
  const cut = cutMiddle(text, MAX_RESULT_BYTES)
  return cut ? `${cut.head}\n[the middle of ${sizeText(cut.bytes)} is left out]\n${cut.tail}` : text
}

const section = (title: string, text: string | null | undefined): string[] =>
  text === null || text === undefined ? [] : [`## ${title}`, fence(text)]

/** A fence longer than any in the text. */
function fence(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const ticks = '`'.repeat(longest + 1)
  return `${ticks}\n${showText(text)}\n${ticks}`
}

const oneLine = (text: string) => showText(text).replaceAll(/[\s`]+/g, ' ')
