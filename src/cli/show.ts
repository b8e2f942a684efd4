import { z } from 'zod'
import { openStore } from '../app.ts'
import { EXIT, Failure } from '../core/failure.ts'
import { showText } from '../core/text.ts'
import type { DecisionView, RunView } from '../core/view.ts'
import { loadRun } from '../store/show.ts'
import { createLines } from './lines.ts'
import { configOf, examples, type AddCommand } from './options.ts'
import { renderTable } from './table.ts'
import { fit, type Terminal } from './terminal.ts'

const optionsSchema = z.object({ json: z.boolean().default(false) })

export const addShow: AddCommand = (program, terminal, done) => {
  program
    .command('show <run>')
    .description('show what a run did: turns, tool calls with their request ids, and its output')
    .option('--json', 'one JSON value on stdout; its shape is stable')
    .addHelpText('after', examples('nightshift show run_019a…', 'nightshift show run_019a… --json | jq ".toolCalls[].requestId"'))
    .action(async (id: string, options: unknown, command) => {
      const { json } = optionsSchema.parse(options)
      await using stack = new AsyncDisposableStack()
      const { db } = await openStore(configOf(command, terminal), stack)
      const run = await loadRun(db, id)
      if (!run) throw new Failure({ code: 'RUN_UNKNOWN', message: `There is no run ${fit(id, 80)}.` })
      terminal.out(json ? JSON.stringify(run, null, 2) : showRun(run, terminal))
      done(EXIT.ok)
    })
}

/** A run for people: what it is, what it did, what came out. */
export function showRun(run: RunView, terminal: Terminal): string {
  const lines = createLines(terminal)
  const { usage, cost } = run
  const facts = [
    lines.step('run', `${run.id} of ${run.job}, ${lines.status(run.status)}`),
    lines.step('version', run.jobVersion),
    lines.step(
      'trigger',
      run.trigger.kind === 'schedule'
        ? `fire of ${run.trigger.fireAt}`
        : `asked for ${run.trigger.kind === 'api' ? 'over the API' : 'on the command line'}${run.requestedBy === null ? '' : ` by ${fit(run.requestedBy, 60)}`}`,
    ),
    lines.step('account', run.account),
    lines.step('created', `${run.createdAt}${run.finishedAt ? `, finished ${run.finishedAt}` : ''}`),
    lines.step(
      'used',
      `${run.turns.length} turns, ${run.toolCalls.length} tool calls, ${usage.inputTokens} + ${usage.outputTokens} tokens${cost.usd === null ? '' : `, ${cost.usd.toFixed(4)} USD`}`,
    ),
    ...run.reasons.map((reason) => lines.step('reason', `${reason.code} ${showText(reason.message)}`)),
    ...run.attempts
      .filter(({ failure }) => failure)
      .map(({ number, failure }) => lines.step(`attempt ${number}`, `${failure?.code} ${showText(failure?.message ?? '')}`)),
  ]
  const calls =
    run.toolCalls.length === 0
      ? []
      : [
          '',
          renderTable(terminal, ['turn', 'tool call', 'server', 'status', 'ms', 'policy', 'request id'], run.toolCalls.map(callRow), [4]),
        ]
  const report = reportText(run)
  return [...facts, ...calls, ...(report === undefined ? [] : ['', report])].join('\n')
}

const callRow = (call: RunView['toolCalls'][number]) => [
  String(call.turn), fit(call.tool, 30), fit(call.server, 20), call.status, call.durationMs === null ? '' : String(Math.round(call.durationMs)),
  policyOf(call.decision), fit(call.requestId ?? call.requestIdSent ?? '', 40),
] // prettier-ignore

/** What Pomerium's log says, once its line was read. */
function policyOf(decision: DecisionView | null): string {
  if (!decision) return ''
  const { allowed, reasons } = decision
  return fit(`${allowed ? 'allowed' : 'denied'}${reasons.length > 0 ? `: ${reasons.join(', ')}` : ''}`, 40)
}

/** What the run gave: checked JSON, or text. */
export function reportText({ output, outputText }: Pick<RunView, 'output' | 'outputText'>): string | undefined {
  if (output !== null) return showText(JSON.stringify(output, null, 2))
  return outputText === null ? undefined : showText(outputText)
}
