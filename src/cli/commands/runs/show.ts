import { z } from 'zod'
import { describePause, type Pause } from '../../../core/rules/schedules/pause.ts'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { modesOf } from '../../../lib/files/readable-by.ts'
import { showLine, showText, sizeText } from '../../../lib/text.ts'
import { showComing, showSecond, showTime } from '../../../lib/show/time.ts'
import type { Ending } from '../../../core/run.ts'
import { modelText } from '../../../core/models/used.ts'
import type { RunView, ToolCallView } from '../../../core/view.ts'
import { timelineOf } from '../../../core/timeline.ts'
import { describeTarget } from '../../../delivery/destinations/registry.ts'
import { listDeliveries, type DeliveryView } from '../../../runs/queries.ts'
import { keptOf, readWhole } from '../../../runs/results/kept.ts'
import { requireId, requireRun } from '../../../runs/lookup.ts'
import { pausesOf } from '../../../schedules/delays.ts'
import { requireWritable, writeNamed } from '../../terminal/file.ts'
import { createLines, showCost, showTokens, type Lines } from '../../terminal/lines.ts'
import { textOf } from './logs.ts'
import { examples, openStoreOf, storeOf, type AddCommand } from '../../options/options.ts'
import { reportText } from '../../terminal/output.ts'
import { renderTable } from '../../terminal/table.ts'
import { showTags } from '../../terminal/tags.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const optionsSchema = z.object({ json: z.boolean().default(false), result: z.string().optional(), out: z.string().optional() })

export const addShow: AddCommand = (program, terminal, done) => {
  program
    .command('show <run>')
    .description('show what a run did: turns, tool calls with their request ids, and its output')
    .option('--json', 'one JSON value on stdout; its shape is stable')
    .option('--result <id>', 'a result alone, whole: by the id that the model knows, such as t3c1, or by the digest of what is kept')
    .option('-o, --out <file>', 'with --result, where to write it; else it is shown')
    .addHelpText(
      'after',
      examples(
        'nightshift show latest',
        'nightshift show latest --result t3c1 --out table.json',
        'nightshift show run_019a…',
        'nightshift show run_019a… --json | jq ".toolCalls[].requestId"',
      ),
    )
    .action(async (id: string, options: unknown, command) => {
      const { json, result, out } = optionsSchema.parse(options)
      if (out !== undefined && result === undefined)
        throw new Failure({ code: 'COMMAND_INVALID', message: 'There is --out and no --result.' })
      const { place, config } = storeOf(command, terminal)
      await using store = await openStoreOf(place)
      const run = await requireRun(store.db, await requireId(store.db, id))
      if (result !== undefined) {
        if (out !== undefined) requireWritable(out)
        const { mediaType, content } = await readWhole(store.db, run.id, result)
        if (out !== undefined) writeNamed(out, content, modesOf(config?.evidence.readableBy ?? 'owner').file)
        terminal.out(
          out !== undefined
            ? `${out}: ${content.length} bytes, ${mediaType}`
            : mediaType === 'text/plain'
              ? showText(content.toString())
              : `${mediaType}, ${sizeText(content.length)}; write it with --out`,
        )
        return done(EXIT.ok)
      }
      if (json) terminal.out(JSON.stringify(run, null, 2))
      else {
        const pauses = run.status === 'queued' ? await pausesOf(store.db, run.job) : []
        terminal.out(showRun(run, await listDeliveries(store.db, run.id), terminal, pauses))
      }
      done(EXIT.ok)
    })
}

/** A run for people: what it is, what it did, what came out; of a queued one also the pauses that keep it. */
export function showRun(run: RunView, deliveries: readonly DeliveryView[], terminal: Terminal, pauses: readonly Pause[] = []): string {
  const lines = createLines(terminal)
  const facts = [
    lines.step('run', `${run.id} of ${run.job}, ${lines.status(run.status)}`),
    lines.step('version', run.jobVersion.slice(0, 19)),
    lines.step(
      'trigger',
      run.trigger.kind === 'schedule'
        ? `fire of ${showTime(run.trigger.fireAt)}`
        : `asked for ${run.trigger.kind === 'api' ? 'over the API' : 'on the command line'}${run.requestedBy === null ? '' : ` by ${fit(run.requestedBy, 60)}`}`,
    ),
    ...(Object.keys(run.tags).length === 0 ? [] : [lines.step('tags', showTags(run.tags))]),
    lines.step('account', run.account),
    ...waitOf(run, pauses).map((what) => lines.step('waits', what)),
    lines.step('created', `${showSecond(run.createdAt)}${run.finishedAt ? `, finished ${showSecond(run.finishedAt)}` : ''}`),
    lines.step(
      'used',
      [`${run.turns.length} turns`, countCalls(run), showTokens(run.usage), showCost(run)].filter((one) => one !== '').join(', '),
    ),
    ...(run.models.length === 0
      ? []
      : [
          lines.step(
            'models',
            run.models.map((use) => `${showLine(modelText(use))}${run.models.length === 1 ? '' : `, ${use.turns} turns`}`).join('; '),
          ),
        ]),
    lines.step('contract', run.attempts.at(-1)?.contract ?? 'none of ours'),
    ...run.reasons.map((reason) => lines.reason(reason)),
    ...showNotAllowed(run, lines),
    ...(run.endedAs ? [lines.step('ended as', `${run.endedAs.status}; it stands otherwise since its log was read`)] : []),
    ...run.mended.map((what) => lines.step('mended', showLine(what))),
    ...endingsOf(run).flatMap(({ of, ending }) => showEnding(of, ending, lines)),
  ]
  const report = reportText(run, terminal)
  const parts = [
    facts.join('\n'),
    showTimeline(run, lines),
    showCalls(run, terminal),
    showKept(run, lines),
    showUnreported(run, lines),
    showDeliveries(deliveries, terminal),
    report,
  ]
  return parts.filter((part) => part !== undefined && part !== '').join('\n\n')
}

/** What a run that is not over waits for. */
/** How many calls there are, and of those that gave no result how many of which status. */
function countCalls({ toolCalls }: RunView): string {
  const others = new Map<string, number>()
  for (const { status } of toolCalls) if (status !== 'ok') others.set(status, (others.get(status) ?? 0) + 1)
  const said = [...others].map(([status, n]) => `${n} ${status.replace('_', ' ')}`)
  return `${toolCalls.length} tool calls${said.length === 0 ? '' : ` (${said.join(', ')})`}`
}

function waitOf({ status, failure, heldBy, afterRun, nextAttemptAt, expireAt, waitsFor }: RunView, pauses: readonly Pause[]): string[] {
  if (status === 'waiting') {
    // A later version may know other kinds.
    const kind: string | undefined = waitsFor?.kind
    return waitsFor && kind === 'connection'
      ? [`for a person to connect ${showLine(waitsFor.server)} as ${waitsFor.account}; it then goes on by itself`]
      : ['for what this version of Nightshift does not know']
  }
  if (status !== 'queued') return []
  return [
    ...pauses.map((pause) => `since ${describePause(pause)}`),
    ...(heldBy === null || (heldBy.startsWith('pause ') && pauses.length > 0) ? [] : [heldText(heldBy)]),
    ...(afterRun === null ? [] : [`for ${afterRun} to be over`]),
    ...(nextAttemptAt === null ? [] : [`until ${showComing(nextAttemptAt)}${failure ? ', then it is tried again' : ''}`]),
    ...(failure && heldBy === null && afterRun === null && nextAttemptAt === null ? ['for a worker, which tries it again'] : []),
    ...(expireAt === null ? [] : [`and is given up at ${showSecond(expireAt)} when nobody has begun it`]),
  ]
}

/** A pause that is not there any more was lifted just now. */
const heldText = (heldBy: string) =>
  heldBy.startsWith('pause ') ? 'for a worker: its pause was lifted' : `for a free slot: the limit of ${showLine(heldBy)} has none`

/** Calls of tools that the job does not allow. They are no reason: the model was told, and nothing was sent. */
function showNotAllowed({ toolCalls }: RunView, lines: Lines): string[] {
  const tools = [...new Set(toolCalls.flatMap(({ tool, failure }) => (failure?.code === 'TOOL_NOT_ALLOWED' ? [tool] : [])))]
  if (tools.length === 0) return []
  return [
    lines.step(
      'refused',
      fit(`never sent, and not against green: ${tools.join(', ')}, not allowed by the job (TOOL_NOT_ALLOWED)`, MAX_TOLD),
    ),
  ]
}

/** How the model ended attempts by a call: those before a retry, then the last one. */
function endingsOf({ attempts, ending }: RunView): { of: string; ending: Ending }[] {
  const earlier = attempts.flatMap((one) => (one.ending === null ? [] : [{ of: `attempt ${one.number}: `, ending: one.ending }]))
  return ending === null ? earlier : [...earlier, { of: '', ending }]
}

/** The model's words, each on one line: what it said may not look like a line of ours. A draft of the last attempt is the output below. */
function showEnding(of: string, ending: Ending, lines: Lines): string[] {
  if (ending.kind === 'nothing-new') return [lines.step('ended', `${of}nothing new: ${showLine(ending.why)}`)]
  const { because, what, tried, draft } = ending
  return [
    lines.step('ended', `${of}incomplete, ${showLine(because)}: ${showLine(what)}`),
    lines.step('tried', showLine(tried)),
    ...(of === '' || draft === undefined ? [] : [lines.step('draft', showLine(draft))]),
  ]
}

/** What we said to the model is whole in --json. */
const MAX_TOLD = 300

function showTimeline(run: RunView, lines: Lines): string {
  return timelineOf(run)
    .flatMap((event) => {
      const turn = event.event === 'turn' ? run.turns.find(({ number }) => number === event.number) : undefined
      return [
        ...(turn?.told ? [lines.step('told', fit(turn.told, MAX_TOLD))] : []),
        lines.step(`${event.at.slice(11, 19)}Z`, showText(textOf(event))),
        ...(turn?.notes ? [lines.step('notes', fit(showLine(turn.notes), MAX_TOLD))] : []),
      ]
    })
    .join('\n')
}

const MOST_SHOWN = 20

/** Of a digest as it is shown. */
const DIGEST_SHOWN = 12

/** Results that are larger than their rows show, and images. */
function showKept(run: RunView, lines: Lines): string {
  const kept = keptOf(run)
  const shown = kept
    .slice(0, MOST_SHOWN)
    .map(({ digest, bytes, mediaType, server, tool, turn }) =>
      lines.step(
        'kept',
        showLine(
          `${digest.slice(0, DIGEST_SHOWN)} ${sizeText(bytes)}, ${mediaType}, of ${tool} on ${server} in turn ${turn}; see --result`,
        ),
      ),
    )
  const more = kept.length - shown.length
  return [...shown, ...(more > 0 ? [lines.step('', `and ${more} more; see --json`)] : [])].join('\n')
}

/** Requests that only Pomerium's log tells of. */
function showUnreported({ unreported }: RunView, lines: Lines): string {
  const shown = unreported
    .slice(0, MOST_SHOWN)
    .map(({ time, host, tool, mcpMethod, ip, allowed, requestId, matchedBy }) =>
      lines.step(
        'unreported',
        showLine(
          `${time} ${host} ${tool ?? mcpMethod ?? 'a request'} from ${ip}, ${allowed ? 'allowed' : 'denied'}, request ${requestId}${matchedBy === 'lost-answer' ? ', of an answer that was lost' : ''}`,
        ),
      ),
    )
  const more = unreported.length - shown.length
  return [...shown, ...(more > 0 ? [lines.step('', `and ${more} more; see --json`)] : [])].join('\n')
}

/** Terminal width from which whole ids fit. */
const WIDE = 120

/** What became of a call at Pomerium; one that we refused never came there. */
function decisionOf({ status, decision, failure }: Pick<ToolCallView, 'status' | 'decision' | 'failure'>): string {
  if (decision) return `${decision.allowed ? 'allowed' : 'denied'}: ${decision.reasons.join(' ')}`
  if (status !== 'refused') return 'not read yet'
  return failure?.code === 'TOOL_NOT_ALLOWED' ? 'never sent: not allowed by the job' : 'never sent'
}

function showCalls(run: RunView, terminal: Terminal): string {
  if (run.toolCalls.length === 0) return ''
  const wide = terminal.columns >= WIDE
  const short = (id: string | null) => (id === null ? '' : wide ? id : `${id.slice(0, 8)}…`)
  const rows = run.toolCalls.map(({ turn, tool, server, status, durationMs, requestId, requestIdSent, decision, failure }) => [
    String(turn), fit(tool, wide ? 30 : 18), fit(server, wide ? 20 : 12), status, durationMs === null ? '' : String(Math.round(durationMs)), short(requestId ?? requestIdSent),
    fit(decisionOf({ status, decision, failure }), wide ? 40 : 20),
  ]) // prettier-ignore
  return renderTable(terminal, ['turn', 'tool call', 'server', 'status', 'ms', 'request id', 'Pomerium’s log'], rows, {
    right: [4],
    cut: { 1: 12, 2: 8, 6: 12 },
  })
}

function showDeliveries(deliveries: readonly DeliveryView[], terminal: Terminal): string {
  if (deliveries.length === 0) return ''
  const rows = deliveries.map(({ target, status, tries, error }) => [describeTarget(target), status, String(tries), fit(error ?? '', 60)])
  return renderTable(terminal, ['report to', 'status', 'tries', ''], rows, { right: [2], cut: { 0: 16, 3: 16 } })
}
