// @ts-nocheck
import { expect, test } from 'vitest'
import { noUsage, type TurnItem } from '../../src/core/run.ts'
import { timelineOf } from '../../src/core/timeline.ts'
import type { AttemptView, RunView, ToolCallView, TurnView } from '../../src/core/view.ts'

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
const failure = { code: 'CONNECTION_REQUIRED' as const, message: 'm', retry: 'after-connection' as const }

const run = (parts: Partial<RunView>): RunView => ({
  id: 'run_1', job: 'work', jobVersion: 'v', status: 'running', reasons: [], failure: null, trigger: { kind: 'api' }, requestedBy: null, account: 'a', retryOf: null,
  heldBy: null, input: {}, output: null, outputText: null, usage: noUsage, cost: { usd: null }, attempts: [], turns: [], toolCalls: [], gatewayRequests: [],
  createdAt: at(0), startedAt: null, finishedAt: null, ...parts,
}) // prettier-ignore

const attempt = (number: number, parts: Partial<AttemptView> = {}): AttemptView => ({
  number, status: 'running', worker: 'w', conversation: 1, jobVersion: 'v', prompt: null, instructions: null, failure: null, output: null, outputText: null, reasons: null, startedAt: at(number * 10), finishedAt: null, ...parts,
}) // prettier-ignore

const turn = (number: number, inAttempt: number, items: TurnItem[], second = 1): TurnView => ({
  number, attempt: inAttempt, items, stopReason: 'stop', responseId: null, providerRequestId: null, model: 'm', usage: noUsage, costUsd: null, startedAt: at(second),
  finishedAt: at(second),
}) // prettier-ignore

const call = (id: string, turnNumber: number, inAttempt: number, status: ToolCallView['status'], second = 1): ToolCallView => ({
  id, attempt: inAttempt, turn: turnNumber, server: 's', tool: id, arguments: {}, status, result: null, failure: null, requestIdSent: null, requestId: null, durationMs: 1,
  repeatable: false, decision: null, startedAt: at(second), finishedAt: status === 'sent' ? null : at(second),
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
      { ...answered, attempts: [attempt(1, { ...ended('incomplete'), reasons: [] })], status: 'queued' },
      { ...answered, attempts: [attempt(1, { ...ended('incomplete'), reasons: [] }), attempt(2)] },
    ],
    ['queued', 'attempt', 'turn', 'call a', 'call b', 'turn', 'attemptEnded', 'finished', 'attempt'],
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
  ['a run cancelled before it began', [{ status: 'cancelled', finishedAt: at(1) }], ['queued', 'finished']],
]

test.each(stories)('each event of %s keeps its place', (_, story, events) => {
  let before: string[] = []
  for (const view of story) {
    const now = timelineOf(run(view)).map((event) => (event.event === 'call' ? `call ${event.tool}` : event.event))
    expect(now.slice(0, before.length)).toEqual(before)
    before = now
  }
  expect(before).toEqual(events)
})
