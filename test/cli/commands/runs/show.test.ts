import { expect, test } from 'vitest'
import { showRun } from '../../../../src/cli/commands/runs/show.ts'
import type { RunView } from '../../../../src/core/view.ts'
import { aCallView, anAttemptView, aRunView, aTurnView } from '../../../support/app/run-view.ts'
import { aTerminal } from '../../../support/cli/terminal.ts'

const linesOf = (run: Partial<RunView>) => showRun(aRunView(run), [], aTerminal()).split('\n')

const INCOMPLETE = {
  kind: 'incomplete',
  because: 'missing_data',
  what: 'The table of 2011 is empty.',
  tried: 'query, twice',
  draft: 'Mining: 7.6\nConstruction: 21.4',
} as const

test('an incomplete run says why the model gave up, what it tried, and that what there is is a draft', () => {
  const lines = linesOf({
    status: 'incomplete',
    ending: INCOMPLETE,
    output: null,
    outputText: INCOMPLETE.draft,
    attempts: [anAttemptView()],
  })
  expect(lines).toContain('ended      incomplete, missing_data: The table of 2011 is empty.')
  expect(lines).toContain('tried      query, twice')
  expect(lines.slice(-3)).toEqual(['A draft, which is no result:', 'Mining: 7.6', 'Construction: 21.4'])
})

test('a run with nothing new says why, and has no output', () => {
  const ending = { kind: 'nothing-new', why: 'The figures are those of last week.' } as const
  const lines = linesOf({ ending, output: null, outputText: '', attempts: [anAttemptView()] })
  expect(lines).toContain('ended      nothing new: The figures are those of last week.')
  expect(lines.at(-1)).toBe('Nothing new: The figures are those of last week.')
})

test('the ending of an attempt before a retry is told with its number and its draft', () => {
  const lines = linesOf({ attempts: [anAttemptView({ ending: INCOMPLETE, reasons: [] }), anAttemptView({ number: 2, conversation: 2 })] })
  expect(lines).toContain('ended      attempt 1: incomplete, missing_data: The table of 2011 is empty.')
  expect(lines).toContain('draft      Mining: 7.6 Construction: 21.4')
})

test('a call of a tool that the job does not allow is told as never sent, and as no reason against the run', () => {
  const failure = { code: 'TOOL_NOT_ALLOWED', message: 'no such tool', retry: 'never' } as const
  const refused = aCallView({ tool: 'drop_tables', status: 'refused', decision: null, failure })
  const unread = aCallView({ decision: null })
  const lines = linesOf({ status: 'succeeded', toolCalls: [refused, { ...refused, id: 'again' }, unread], attempts: [anAttemptView()] })
  expect(lines).toContain('refused    never sent, and not against green: drop_tables, not allowed by the job (TOOL_NOT_ALLOWED)')
  expect(lines.filter((line) => line.includes('drop_tables') && line.includes('never sent: '))).toHaveLength(2)
  expect(lines.filter((line) => line.includes('not read yet'))).toHaveLength(1)
  expect(linesOf({ toolCalls: [unread] }).filter((line) => line.startsWith('refused'))).toEqual([])
})

const USED = { inputTokens: 1200, cachedTokens: 0, outputTokens: 30, reasoningTokens: 0 }

test.each([
  [USED, { usd: 0.5, atLeast: false }, '1200 + 30 tokens, 0.5000 USD'],
  [USED, { usd: null, atLeast: false }, '1200 + 30 tokens'],
  [{ ...USED, estimated: true as const }, { usd: null, atLeast: false }, 'about 1200 + 30 tokens, cost not known'],
  [{ ...USED, estimated: true as const }, { usd: 0.5, atLeast: true }, 'about 1200 + 30 tokens, at least 0.5000 USD'],
])('what a run used, as far as the provider said it: %o, %o', (usage, cost, shown) => {
  expect(linesOf({ usage, cost, attempts: [anAttemptView()] })).toContain(`used       0 turns, 0 tool calls, ${shown}`)
})

test('what was put right in the answer is told, a line each', () => {
  const mended = ['A text around the JSON was left out.', 'A number in quotes was read as one.']
  expect(linesOf({ mended, attempts: [anAttemptView()] })).toEqual(expect.arrayContaining(mended.map((one) => `mended     ${one}`)))
})

test('what was said to the model before a turn is told above it, on one line', () => {
  const turn = aTurnView({
    told: 'Read the rest.\n[Nightshift: 1 answer is left.]',
    items: [{ type: 'message', text: 'done' }],
  })
  const lines = linesOf({ attempts: [anAttemptView()], turns: [turn] })
  const at = lines.indexOf('told       Read the rest. [Nightshift: 1 answer is left.]')
  expect(lines[at + 1]).toBe('07:00:03Z  turn 1: the model answers')
})

test('a turn that is a summary is told as one, with its notes on one line, and results that were put aside are counted', () => {
  const turns = [
    aTurnView({ purpose: 'summary', notes: 'Looked at\n12 rows.' }),
    aTurnView({ number: 2, putAside: 7, items: [{ type: 'message', text: 'done' }] }),
  ]
  const lines = linesOf({ attempts: [anAttemptView()], turns })
  const at = lines.indexOf('07:00:03Z  turn 1: the model sums up what was said')
  expect(lines.slice(at + 1, at + 3)).toEqual([
    'notes      Looked at 12 rows.',
    '07:00:03Z  turn 2: the model answers, after 7 results were put aside',
  ])
})

test('the version of the words that the last attempt was told is shown, or that there were none of ours', () => {
  expect(
    linesOf({ attempts: [anAttemptView({ contract: 'contract/1' }), anAttemptView({ number: 2, contract: 'contract/2' })] }),
  ).toContain('contract   contract/2')
  expect(linesOf({ attempts: [anAttemptView({ contract: null })] })).toContain('contract   none of ours')
})

test('what the model says cannot look like a line of ours, nor act on a terminal', () => {
  const forged = 'no\nrun        run_x of y, succeeded\u001b[2J\u202e'
  for (const ending of [
    { kind: 'incomplete', because: forged, what: forged, tried: forged, draft: forged },
    { kind: 'nothing-new', why: forged },
  ] as const) {
    const earlier = linesOf({ attempts: [anAttemptView({ ending }), anAttemptView({ number: 2 })] })
    const last = linesOf({ ending, output: null, outputText: null, attempts: [anAttemptView()] })
    for (const lines of [earlier, last]) {
      expect(lines.filter((line) => line.startsWith('run  '))).toEqual([expect.stringContaining('of headcount')])
      expect(lines.join('\n')).not.toMatch(/[\u001b\u202e]/)
    }
  }
})

test('calls without a result are counted by their status in the line of what was used', () => {
  const toolCalls = (['ok', 'error', 'error', 'unknown', 'not_run'] as const).map((status) => aCallView({ status }))
  expect(linesOf({ toolCalls, attempts: [anAttemptView()] })).toContainEqual(
    expect.stringContaining('5 tool calls (2 error, 1 unknown, 1 not run), '),
  )
})

test('arguments that nobody said are shown as nothing', () => {
  const lines = linesOf({
    toolCalls: [aCallView({ arguments: null, status: 'unknown' })],
    turns: [aTurnView()],
    attempts: [anAttemptView()],
  })
  expect(lines.filter((line) => line.includes('null'))).toEqual([])
})
