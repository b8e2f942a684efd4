import { describeFailure, type FailureRecord } from '../../core/failure.ts'
import type { Reason, RunStatus, TurnItem, Usage } from '../../core/run.ts'
import { showText } from '../../lib/text.ts'
import wrapAnsi from 'wrap-ansi'
import { fit, PIPE_COLUMNS, type Terminal } from './terminal.ts'

/** The label of a step, in a column of its own. */
const LABEL = 10

export interface Lines {
  step(label: string, text: string): string
  turn(turn: { number: number; items: readonly TurnItem[]; usage: Usage; purpose?: string | null | undefined }): string
  call(call: {
    server: string
    tool: string
    arguments: unknown
    status: string
    durationMs: number | null
    failure: FailureRecord | null
  }): string
  failure(label: string, failure: FailureRecord): string
  reason(reason: Reason): string
  status(status: RunStatus): string
}

/** What a model does in a turn that is a summary. */
export const SUMS_UP = 'sums up what was said'

/** The end of a run's id, which tells it from others; every command takes it. */
export const shortId = (id: string): string => `…${id.slice(-8)}`

/** Tokens in and out, and whether the provider said so. */
export const showTokens = ({ inputTokens, outputTokens, estimated }: Usage): string =>
  `${estimated ? 'about ' : ''}${inputTokens} + ${outputTokens} tokens`

/** What a run cost, as far as it is known; empty where no price is set. */
export function showCost({ usage, cost }: { usage: Usage; cost: { usd: number | null; atLeast: boolean } }): string {
  if (cost.usd === null) return usage.estimated ? 'cost not known' : ''
  return `${cost.atLeast ? 'at least ' : ''}${cost.usd.toFixed(4)} USD`
}

/** One line for each thing that happens in a run, for people. */
export function createLines({ colors, columns }: Pick<Terminal, 'colors' | 'columns'>): Lines {
  const width = columns - LABEL - 2
  // What goes into a pipe keeps its lines.
  const fold = (text: string) =>
    columns >= PIPE_COLUMNS
      ? text
      : wrapAnsi(text, columns - LABEL - 1, { hard: true, trim: false }).replaceAll('\n', `\n${' '.repeat(LABEL + 1)}`)
  const step = (label: string, text: string) => `${colors.dim(label.padEnd(LABEL))} ${fold(text)}`
  const mark = (status: string) => (status === 'ok' ? colors.green(status) : status === 'sent' ? status : colors.yellow(status))
  return {
    step,
    turn({ number, items, usage, purpose }) {
      const calls = items.flatMap((item) => (item.type === 'tool_call' ? [item.name] : []))
      const ends = items.some((item) => item.type === 'refusal') ? 'refuses' : 'answers'
      const did = purpose === 'summary' ? SUMS_UP : calls.length > 0 ? `calls ${calls.join(', ')}` : ends
      return step(`turn ${number}`, `${fit(`model ${did}`, width - 20)} ${colors.dim(showTokens(usage))}`)
    },
    call({ server, tool, arguments: args, status, durationMs, failure }) {
      const name = fit(`${server} ${tool}`, width - 30)
      const shown = fit(showArguments(args), width - name.length - 15)
      const what = shown === '' ? name : `${name} ${colors.dim(shown)}`
      return step(
        '  call',
        `${what} ${mark(status)}${durationMs === null ? '' : ` ${Math.round(durationMs)} ms`}${failure ? ` ${failure.code}` : ''}`,
      )
    },
    reason: (reason) => step('reason', `${reason.code} ${showText(describeFailure(reason))}`),
    failure: (label, failure) => step(label, `${colors.red(failure.code)} ${showText(describeFailure(failure))}`),
    status: (status) => (status === 'succeeded' ? colors.green(status) : status === 'failed' ? colors.red(status) : colors.yellow(status)),
  }
}

/** Arguments as one line; a single text value stands for itself. */
function showArguments(args: unknown): string {
  if (typeof args === 'string') return args
  // A hosted provider did not say them.
  if (args === null) return ''
  if (typeof args !== 'object' || args === null) return JSON.stringify(args)
  const values: unknown[] = Object.values(args)
  if (values.length === 0) return ''
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : JSON.stringify(args)
}
