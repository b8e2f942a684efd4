import { describe, expect, test } from 'vitest'
import type { RunView, ToolCallView } from '../../../src/core/view.ts'
import { expectSchema } from '../../../src/eval/cases/expect.ts'
import { compare, checkRun, scoreOf, type Trial } from '../../../src/eval/score.ts'
import { aRunView, aTurnView } from '../../support/app/run-view.ts'

const check = (run: Partial<RunView>, expected: Record<string, unknown>) => checkRun(aRunView(run), expectSchema.parse(expected))
const faultsOf = (run: Partial<RunView>, expected: Record<string, unknown>) => check(run, expected).faults

const aTurn = aTurnView()
const aCall = (extra: Partial<ToolCallView> = {}): ToolCallView => ({
  id: 'c',
  attempt: 1,
  turn: 1,
  server: 'labor',
  tool: 'query',
  arguments: {},
  status: 'ok',
  result: null,
  failure: null,
  requestIdSent: null,
  requestId: null,
  durationMs: 1,
  repeatable: true,
  decision: null,
  startedAt: '2026-11-24T07:00:02.000Z',
  finishedAt: null,
  ...extra,
})

describe('values of the output', () => {
  const output = { title: 'x', total: 9.855, flag: false, none: null, rows: [{ rate: 27.1 }, { rate: 21.4 }], list: [1, 2.04] }
  test.each([
    ['title', 'x', true],
    ['title', 'X', false],
    ['rows.0.rate', 27.1, true],
    ['rows.1.rate', 27.1, false],
    ['rows.2.rate', 27.1, false],
    ['flag', false, true],
    ['none', null, true],
    ['missing', null, false],
    ['total', { near: 9.86, within: 0.01 }, true],
    ['total', { near: 9.86, within: 0.004 }, false],
    ['title', { near: 9.86, within: 1 }, false],
    ['list', { near: [1, 2], within: 0.05 }, true],
    ['list', { near: [2, 1], within: 0.05 }, false],
    ['list', { near: [1, 2, 3], within: 0.05 }, false],
    ['list', [1, 2.04], true],
    ['rows', { length: 2 }, true],
    ['rows', { length: 3 }, false],
    ['title', { oneOf: ['y', 'x'] }, true],
    ['title', { oneOf: ['y'] }, false],
    ['constructor.name', 'Object', false],
  ])('%s is held against %j: %s', (path, value, fits) => {
    expect(faultsOf({ output }, { output: { [path]: value } }).length === 0).toBe(fits)
  })

  test('a fault says what was found and what was expected', () => {
    expect(faultsOf({ output: { a: 1 } }, { output: { a: 2, b: 'x' } })).toEqual(['output.a is 1, not 2', 'output.b is missing, not "x"'])
  })
})

describe('words of the answer', () => {
  test('texts are found in either case, numbers however they are written', () => {
    const outputText = 'CONSTRUCTION leads with 27,1 %, 14’988 thousand.'
    expect(faultsOf({ outputText }, { says: ['construction', 27.1, 14988], never: ['Mining', 15125] })).toEqual([])
    expect(faultsOf({ outputText }, { says: ['Mining', 9], never: ['leads', 14988] })).toEqual([
      'the answer does not say "Mining"',
      'the answer does not say 9',
      'the answer says "leads"',
      'the answer says 14988',
    ])
  })

  test('what a model said when it gave up counts', () => {
    const ending = { kind: 'incomplete', because: 'missing_data', what: 'There are no states.', tried: 'I looked.', draft: 'none' } as const
    const expected = { ending: 'incomplete', says: ['no states'], never: ['California'] }
    expect(faultsOf({ status: 'incomplete', outputText: null, ending }, expected)).toEqual([])
  })
})

test('calls are counted by server and tool, without those that were never sent', () => {
  const toolCalls = [aCall(), aCall({ status: 'denied' }), aCall({ status: 'refused' }), aCall({ tool: 'other' })]
  expect(faultsOf({ toolCalls }, { calls: { 'labor.query': { min: 2, max: 2 }, 'labor.none': { max: 0 } } })).toEqual([])
  expect(faultsOf({ toolCalls }, { calls: { 'labor.query': { max: 1 }, 'labor.other': { min: 2 } } })).toEqual([
    'labor.query was called 2 times, not 1 at most',
    'labor.other was called 1 times, not 2 or more',
  ])
})

describe('a verdict', () => {
  const denied = [{ code: 'TOOL_DENIED', message: 'no' }] as const
  const failure = { code: 'GATEWAY_UNREACHABLE', message: 'No answer.', retry: 'later' } as const
  test.each<[string, Partial<RunView>, Record<string, unknown>, Trial['verdict']]>([
    ['green and as expected', {}, { output: { rows: [1, 2] } }, 'right'],
    ['green and wrong', {}, { output: { rows: [2] } }, 'false-green'],
    ['green where nothing could be right', {}, { ending: 'incomplete' }, 'false-green'],
    ['green with an answer where there was nothing new', {}, { ending: 'nothing_new' }, 'false-green'],
    ['nothing new as expected', { ending: { kind: 'nothing-new', why: 'Looked.' } }, { ending: 'nothing_new' }, 'right'],
    ['nothing new where there was something', { ending: { kind: 'nothing-new', why: 'Looked.' } }, {}, 'false-green'],
    ['right values, not green', { status: 'incomplete', reasons: [...denied] }, { output: { rows: [1, 2] } }, 'missed'],
    ['wrong values, not green', { status: 'incomplete', reasons: [...denied] }, { output: { rows: [2] } }, 'wrong'],
    [
      'incomplete for the reason expected',
      { status: 'incomplete', reasons: [...denied] },
      { ending: 'incomplete', reasons: ['TOOL_DENIED'] },
      'right',
    ],
    [
      'incomplete for another reason',
      { status: 'incomplete', reasons: [...denied] },
      { ending: 'incomplete', reasons: ['MODEL_INCOMPLETE'] },
      'wrong',
    ],
    ['failed before the model was asked', { status: 'failed', failure: { ...failure, retry: 'never' } }, {}, 'undecided'],
    ['failed for what time heals', { status: 'failed', failure, turns: [aTurn] }, {}, 'undecided'],
    ['failed at its work', { status: 'failed', failure: { ...failure, retry: 'never' }, turns: [aTurn] }, {}, 'wrong'],
    ['failed as expected', { status: 'failed', failure }, { ending: 'failed' }, 'right'],
    ['waits for a person', { status: 'waiting', failure }, {}, 'undecided'],
    ['cancelled', { status: 'cancelled' }, {}, 'undecided'],
  ])('%s', (_, run, expected, verdict) => {
    expect(check(run, expected).verdict).toBe(verdict)
  })
})

describe('a score', () => {
  const trial = (name: string, repeat: number, verdict: Trial['verdict'], run: Partial<RunView> = {}): Trial => ({
    arm: 'a',
    case: name,
    repeat,
    verdict,
    faults: [],
    run: aRunView({
      status: verdict === 'right' || verdict === 'false-green' ? 'succeeded' : 'incomplete',
      cost: { usd: 0.5, atLeast: false },
      ...run,
    }),
  })
  const trials = [
    trial('x', 1, 'right'),
    trial('x', 2, 'right'),
    trial('y', 1, 'right'),
    trial('y', 2, 'false-green'),
    trial('z', 1, 'missed'),
    trial('z', 2, 'undecided'),
  ]

  test('counts false green among the green, right among the decided, and cases that are always right', () => {
    expect(scoreOf('a', trials)).toMatchObject({
      trials: 6,
      falseGreen: { hits: 1, of: 4 },
      right: { hits: 3, of: 5 },
      always: { hits: 1, of: 2 },
      missed: 1,
      undecided: 1,
      costUsd: 3,
      usdPerRight: 1,
      seconds: 1,
    })
    expect(scoreOf('a', [trial('x', 1, 'right', { cost: { usd: null, atLeast: false } })]).usdPerRight).toBeNull()
    expect(scoreOf('a', [])).toMatchObject({ trials: 0, right: { hits: 0, of: 0 }, usdPerRight: null })
  })

  test('arms are compared trial by trial, without those that one of them did not decide', () => {
    const other = [trial('x', 1, 'wrong'), trial('x', 2, 'right'), trial('y', 1, 'right'), trial('y', 2, 'right'), trial('z', 2, 'right')]
    expect(compare(trials, other)).toMatchObject({ better: 1, worse: 1, of: 4, difference: 0 })
  })
})
