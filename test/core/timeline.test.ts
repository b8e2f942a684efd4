import { expect, test } from 'vitest'
import { noUsage, type TurnItem } from '../../src/core/run.ts'
import { timelineOf, type TimelineEvent } from '../../src/core/timeline.ts'
import type { RunActView } from '../../src/core/acts.ts'
import type { AttemptView, RunEndView, RunView, ToolCallView, TurnView } from '../../src/core/view.ts'

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const failure = { code: 'CONNECTION_REQUIRED' as const, message: 'm', retry: 'after-connection' as const }

const run = (parts: Partial<RunView>): RunView => ({
  id: 'run_1', job: 'work', jobVersion: 'v', status: 'running', reasons: [], failure: null, trigger: { kind: 'api' }, requestedBy: null, tags: {}, account: 'a', retryOf: null,
  heldBy: null, afterRun: null, nextAttemptAt: null, expireAt: null, waitsFor: null, input: {}, output: null, outputText: null, ending: null, mended: [], usage: noUsage, cost: { usd: null, atLeast: false }, models: [], attempts: [], turns: [], toolCalls: [], gatewayRequests: [],
  unreported: [], endedAs: null, acts: [], earlierEnds: [],
  createdAt: at(0), startedAt: null, finishedAt: null, ...parts,
}) // prettier-ignore

const attempt = (number: number, parts: Partial<AttemptView> = {}): AttemptView => ({
  number, status: 'running', worker: 'w', conversation: 1, jobVersion: 'v', prompt: null, instructions: null, contract: null, failure: null, output: null, outputText: null, ending: null, mended: null, reasons: null, startedAt: at(number * 10), finishedAt: null, mayGoOnUntil: null, ...parts,
}) // prettier-ignore

const turn = (number: number, inAttempt: number, items: TurnItem[], second = 1): TurnView => ({
  number, attempt: inAttempt, told: null, purpose: null, putAside: 0, compacted: 0, notes: null, items, stopReason: 'stop', responseId: null, providerRequestId: null, provider: 'p', model: 'm', tier: null, waits: null, usage: noUsage, costUsd: null, startedAt: at(second),
  finishedAt: at(second),
}) // prettier-ignore

const call = (id: string, turnNumber: number, inAttempt: number, status: ToolCallView['status'], second = 1): ToolCallView => ({
  id, attempt: inAttempt, turn: turnNumber, server: 's', tool: id, arguments: {}, status, result: null, failure: null, requestIdSent: null, requestId: null, durationMs: 1,
  repeatable: false, decision: null, startedAt: at(second), finishedAt: status === 'sent' ? null : at(second),
}) // prettier-ignore

const act = (name: RunActView['act'], parts: Partial<RunActView> = {}): RunActView => ({
  id: name, at: at(40), act: name, by: 'ann', role: null, via: 'cli', origin: 'desk', requestId: null, reason: null, conversation: 1, attempt: 1, ...parts,
}) // prettier-ignore

const end = (status: RunEndView['status'], parts: Partial<RunEndView> = {}): RunEndView => ({
  conversation: 1, status, failure: null, reasons: [], finishedAt: at(50), ...parts,
}) // prettier-ignore

const asks: TurnItem[] = [{ type: 'tool_call', callId: 'c', name: 's__a', arguments: '{}' }]
const answers: TurnItem[] = [{ type: 'message', text: 'done' }]
const ended = (status: string) => ({ status, finishedAt: at(50) })

/** What is known of a run, later and later. */
type Story = Partial<RunView>[]

const first = attempt(1)
const local: Story = [
  {},
  { attempts: [first] },
  { attempts: [first], turns: [turn(1, 1, asks)] },
  { attempts: [first], turns: [turn(1, 1, asks)], toolCalls: [call('a', 1, 1, 'sent'), call('b', 1, 1, 'sent')] },
  { attempts: [first], turns: [turn(1, 1, asks)], toolCalls: [call('a', 1, 1, 'sent'), call('b', 1, 1, 'ok')] },
  // The clock of the database is behind ours: the calls seem to be older than the turn that asked for them.
  { attempts: [first], turns: [turn(1, 1, asks, 9)], toolCalls: [call('a', 1, 1, 'ok'), call('b', 1, 1, 'ok')] },
  { attempts: [first], turns: [turn(1, 1, asks, 9), turn(2, 1, answers)], toolCalls: [call('a', 1, 1, 'ok'), call('b', 1, 1, 'ok')] },
]
const answered: Partial<RunView> = { ...local.at(-1) }

const retried: Partial<RunView> = { acts: [act('retry')], earlierEnds: [end('incomplete')] }

const stories: [title: string, story: Story, events: string[]][] = [
  [
    'a local run',
    [...local, { ...answered, attempts: [attempt(1, ended('succeeded'))], status: 'succeeded', finishedAt: at(50) }],
    ['queued', 'attempt', 'turn', 'call a', 'call b', 'turn', 'attemptEnded', 'finished'],
  ],
  [
    'a hosted run, whose turn comes after its calls',
    [
      { attempts: [first] },
      { attempts: [first], toolCalls: [call('a', 1, 1, 'ok', 9)] },
      { attempts: [first], toolCalls: [call('a', 1, 1, 'ok', 9)], turns: [turn(1, 1, answers, 5)] },
    ],
    ['queued', 'attempt', 'call a', 'turn'],
  ],
  [
    'a run that waited and went on',
    [
      { attempts: [attempt(1, { ...ended('waiting'), failure })], status: 'waiting', failure },
      { attempts: [attempt(1, { ...ended('waiting'), failure })], status: 'queued', failure },
      { attempts: [attempt(1, { ...ended('waiting'), failure }), attempt(2)] },
    ],
    ['queued', 'attempt', 'attemptEnded', 'waiting', 'attempt'],
  ],
  [
    'a run that was retried',
    [
      { ...answered, attempts: [attempt(1, ended('incomplete'))], status: 'incomplete', finishedAt: at(50) },
      { ...answered, ...retried, attempts: [attempt(1, { ...ended('incomplete'), reasons: [] })], status: 'queued' },
      { ...answered, ...retried, attempts: [attempt(1, { ...ended('incomplete'), reasons: [] }), attempt(2, { conversation: 2 })] },
    ],
    ['queued', 'attempt', 'turn', 'call a', 'call b', 'turn', 'attemptEnded', 'finished', 'retry', 'attempt'],
  ],
  [
    'a worker that died in a call, and one that went on with the rest of the turn',
    [
      { attempts: [first], turns: [turn(1, 1, asks)], toolCalls: [call('a', 1, 1, 'sent')] },
      { attempts: [attempt(1, ended('lost')), attempt(2)], turns: [turn(1, 1, asks)], toolCalls: [call('a', 1, 1, 'unknown')] },
      {
        attempts: [attempt(1, ended('lost')), attempt(2)],
        turns: [turn(1, 1, asks)],
        toolCalls: [call('a', 1, 1, 'unknown'), call('b', 1, 2, 'ok')],
      },
    ],
    ['queued', 'attempt', 'turn', 'call a', 'attemptEnded', 'attempt', 'call b'],
  ],
  [
    'a run cancelled before it began, and retried, and cancelled again before it began',
    [
      { status: 'cancelled', finishedAt: at(1), acts: [act('cancel', { attempt: 0 })] },
      { status: 'queued', acts: [act('cancel', { attempt: 0 }), act('retry', { attempt: 0 })], earlierEnds: [end('cancelled')] },
      {
        status: 'cancelled',
        acts: [act('cancel', { attempt: 0 }), act('retry', { attempt: 0 }), act('cancel', { attempt: 0, conversation: 2 })],
        earlierEnds: [end('cancelled')],
      },
    ],
    ['queued', 'cancel', 'finished', 'retry', 'cancel', 'finished'],
  ],
  [
    'a run whose attempt failed, and that was cancelled while it waited for the next one',
    [
      { attempts: [attempt(1, ended('failed'))], status: 'queued' },
      { attempts: [attempt(1, ended('failed'))], status: 'cancelled', acts: [act('cancel')] },
      {
        attempts: [attempt(1, { ...ended('failed'), reasons: [] })],
        status: 'queued',
        acts: [act('cancel'), act('retry')],
        earlierEnds: [end('cancelled')],
      },
    ],
    ['queued', 'attempt', 'attemptEnded', 'cancel', 'finished', 'retry'],
  ],
  [
    'a run that a person cancelled while a worker had it: told once the worker has ended it',
    [
      { attempts: [first], acts: [act('cancel')] },
      { attempts: [first], acts: [act('cancel')], turns: [turn(1, 1, answers)] },
      { attempts: [attempt(1, ended('cancelled'))], acts: [act('cancel')], turns: [turn(1, 1, answers)], status: 'cancelled' },
    ],
    ['queued', 'attempt', 'turn', 'attemptEnded', 'cancel', 'finished'],
  ],
]

function nameOf(event: TimelineEvent): string {
  if (event.event === 'call') return `call ${event.tool}`
  return event.event === 'act' ? event.act : event.event
}

test.each(stories)('each event of %s keeps its place', (_, story, events) => {
  let before: string[] = []
  for (const view of story) {
    const now = timelineOf(run(view)).map((event) => nameOf(event))
    expect(now.slice(0, before.length)).toEqual(before)
    before = now
  }
  expect(before).toEqual(events)
})

test('a turn that is a summary, or before which results were put aside, says so', () => {
  const turns = [
    { ...turn(1, 1, []), purpose: 'summary', notes: 'notes' },
    { ...turn(2, 1, answers), putAside: 3 },
  ]
  expect(timelineOf(run({ attempts: [attempt(1)], turns })).slice(2)).toMatchObject([
    { event: 'turn', number: 1, answers: false, purpose: 'summary' },
    { event: 'turn', number: 2, answers: true, putAside: 3 },
  ])
})

test('an event says what is known of it', () => {
  const used = { inputTokens: 3, cachedTokens: 1, outputTokens: 2, reasoningTokens: 0 }
  const failed = { ...failure, code: 'OUTCOME_UNKNOWN' as const, retry: 'never' as const }
  const both: TurnItem[] = [...asks, { type: 'tool_call', callId: 'd', name: 's__b', arguments: '{}' }]
  const reasons = [{ code: 'TOOL_DENIED' as const, message: 'Policy denied a.' }]
  const view = run({
    attempts: [attempt(1, { status: 'incomplete', finishedAt: at(50), failure: failed, reasons: [] }), attempt(2, { conversation: 2, status: 'waiting', finishedAt: at(60), failure })],
    acts: [act('retry', { reason: 'the source is back' })],
    earlierEnds: [end('incomplete', { reasons })],
    turns: [{ ...turn(2, 1, answers, 8), usage: used }, turn(1, 1, both, 4), turn(1, 2, answers, 58)],
    toolCalls: [
      { ...call('b', 1, 1, 'unknown', 6), durationMs: 7, requestId: 'r-1', failure: failed },
      { ...call('a', 1, 1, 'not_run', 5), finishedAt: null, durationMs: null },
    ],
    status: 'cancelled',
    reasons,
    finishedAt: at(70),
  }) // prettier-ignore
  expect(timelineOf(view)).toEqual([
    { event: 'queued', at: at(0) },
    { event: 'attempt', at: at(10), number: 1, worker: 'w' },
    { event: 'turn', at: at(4), number: 1, calls: ['s__a', 's__b'], answers: false, usage: noUsage },
    {
      event: 'call',
      at: at(6),
      id: 'b',
      turn: 1,
      server: 's',
      tool: 'b',
      status: 'unknown',
      durationMs: 7,
      requestId: 'r-1',
      failure: failed,
    },
    {
      event: 'call',
      at: at(5),
      id: 'a',
      turn: 1,
      server: 's',
      tool: 'a',
      status: 'not_run',
      durationMs: null,
      requestId: null,
      failure: null,
    },
    { event: 'turn', at: at(8), number: 2, calls: [], answers: true, usage: used },
    { event: 'attemptEnded', at: at(50), number: 1, status: 'incomplete', failure: failed },
    { event: 'finished', at: at(50), status: 'incomplete', reasons },
    { event: 'act', at: at(40), act: 'retry', by: 'ann', via: 'cli', origin: 'desk', reason: 'the source is back' },
    { event: 'attempt', at: at(20), number: 2, worker: 'w' },
    { event: 'turn', at: at(58), number: 1, calls: [], answers: true, usage: noUsage },
    { event: 'attemptEnded', at: at(60), number: 2, status: 'waiting', failure },
    { event: 'waiting', at: at(60), failure },
    { event: 'finished', at: at(70), status: 'cancelled', reasons },
  ])
})

test('a call that is still open holds back what comes after it in its turn, until its attempt is over', () => {
  const parts = { turns: [turn(1, 1, asks)], toolCalls: [call('a', 1, 1, 'ok'), call('b', 1, 1, 'sent'), call('c', 1, 1, 'ok')] }
  const told = (view: Partial<RunView>) =>
    timelineOf(run({ ...parts, ...view })).flatMap((event) => (event.event === 'call' ? [event.tool] : []))
  expect(told({ attempts: [attempt(1)] })).toEqual(['a'])
  expect(told({ attempts: [attempt(1, ended('lost'))] })).toEqual(['a', 'b', 'c'])
})

test('a run that was over before it had a time of its own ended when it was made', () => {
  expect(timelineOf(run({ status: 'failed' })).at(-1)).toEqual({ event: 'finished', at: at(0), status: 'failed', reasons: [] })
})

test('an attempt that ended for a while has no end of the run, whatever its reasons', () => {
  const view = run({ attempts: [attempt(1, { ...ended('lost'), reasons: [] }), attempt(2, { ...ended('failed') })] })
  expect(timelineOf(view).map(({ event }) => event)).toEqual(['queued', 'attempt', 'attemptEnded', 'attempt', 'attemptEnded'])
})
