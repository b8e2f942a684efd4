import { expect, test } from 'vitest'
import { answerTooLarge, decideOutcome, needsOf, reasonsAgainst, type AnswerFacts, type CallFact } from '../../../src/core/rules/outcome.ts'
import type { FailureRecord } from '../../../src/core/failure.ts'
import type { Reason } from '../../../src/core/run.ts'

const clean: AnswerFacts = {
  forcedBy: [],
  passed: [],
  calls: [],
  cut: false,
  misfit: undefined,
  needed: [],
  partial: [],
  ungrounded: [],
  unfinished: undefined,
  ending: undefined,
}
const call = (part: Partial<CallFact>): CallFact => ({
  server: 'hr',
  tool: 'act',
  status: 'ok',
  text: '',
  truncated: false,
  failure: null,
  ...part,
})
const failure = (code: FailureRecord['code'], message: string): FailureRecord => ({ code, message, retry: 'never' })
const turns: Reason = { code: 'BUDGET_TURNS', message: 'All 2 turns were used.' }
const tokens: Reason = { code: 'BUDGET_TOKENS', message: '9 of 8 tokens were used.' }

test.each<[what: string, facts: Partial<AnswerFacts>, reasons: Reason[]]>([
  ['nothing against it', {}, []],
  ['a call that was answered', { calls: [call({})] }, []],
  ['an error that the tool itself answered', { calls: [call({ status: 'error' })] }, []],
  ['a call that we refused', { calls: [call({ status: 'refused', failure: failure('TOOL_NOT_ALLOWED', 'no such tool') })] }, []],
  ['a forced answer', { forcedBy: [turns] }, [turns]],
  ['a limit that was found to be passed', { passed: [tokens] }, [tokens]],
  [
    'a denial with its words',
    { calls: [call({ status: 'denied', failure: failure('TOOL_DENIED', 'Policy denied the tool act on hr.') })] },
    [{ code: 'TOOL_DENIED', message: 'Policy denied the tool act on hr.' }],
  ],
  ['a denial without words', { calls: [call({ status: 'denied' })] }, [{ code: 'TOOL_DENIED', message: 'Policy denied act.' }]],
  [
    'an unknown outcome with its words',
    { calls: [call({ status: 'unknown', failure: failure('OUTCOME_UNKNOWN', 'It may have run.') })] },
    [{ code: 'OUTCOME_UNKNOWN', message: 'It may have run.' }],
  ],
  [
    'an unknown outcome without words',
    { calls: [call({ status: 'unknown' })] },
    [{ code: 'OUTCOME_UNKNOWN', message: 'The outcome of a call of act is not known.' }],
  ],
  [
    'a call that was not taken',
    { calls: [call({ status: 'not_run', failure: failure('CONNECTION_REQUIRED', 'Connect hr.') })] },
    [{ code: 'CONNECTION_REQUIRED', message: 'Connect hr.' }],
  ],
  ['a cut result', { calls: [call({ truncated: true })] }, [{ code: 'RESULT_TOO_LARGE', message: 'A result of act was cut.' }]],
  [
    'what a provider left out',
    { leftOut: [{ tokens: 12_000, of: 8000 }] },
    [
      {
        code: 'RESULT_PARTIAL',
        message:
          'The provider leaves out the beginning of what does not fit (truncation: auto): about 12000 tokens were to be read, and 8000 fit.',
      },
    ],
  ],
  ['a cut answer', { cut: true }, [{ code: 'ANSWER_CUT', message: 'The model’s answer was cut at its output limit.' }]],
  [
    'an answer that does not fit',
    { misfit: '/n must be integer' },
    [{ code: 'OUTPUT_INVALID', message: 'The answer does not match output.schema: /n must be integer' }],
  ],
  [
    'a server that the job needs and that gave nothing',
    { needed: [{ servers: ['hr'], minCalls: 1 }], calls: [call({ status: 'error' })] },
    [{ code: 'NO_TOOL_RESULT', message: 'Of hr 0 calls gave a result, and the job needs 1 (tools.hr.minCalls).' }],
  ],
  ['as many calls as the job needs', { needed: [{ servers: ['hr'], minCalls: 2 }], calls: [call({}), call({})] }, []],
  ['a call to one of the servers of which the job needs one', { needed: [{ servers: ['crm', 'hr'], minCalls: 1 }], calls: [call({})] }, []],
  [
    'calls to none of the servers of which the job needs one',
    { needed: [{ servers: ['crm', 'wiki'], minCalls: 1 }], calls: [call({})] },
    [
      {
        code: 'NO_TOOL_RESULT',
        message: 'Of crm and wiki 0 calls gave a result, and the job needs 1 (tools.crm.minCalls, tools.wiki.minCalls).',
      },
    ],
  ],
  [
    'calls of another server than the one that the job needs',
    { needed: [{ servers: ['crm'], minCalls: 1 }], calls: [call({})] },
    [{ code: 'NO_TOOL_RESULT', message: 'Of crm 0 calls gave a result, and the job needs 1 (tools.crm.minCalls).' }],
  ],
  [
    'an answer that asks',
    { unfinished: 'asks' },
    [{ code: 'MODEL_INCOMPLETE', message: 'The answer asks a question that nobody can answer.' }],
  ],
  [
    'an answer that promises',
    { unfinished: 'promises' },
    [{ code: 'MODEL_INCOMPLETE', message: 'The answer promises to go on later, and there is no later.' }],
  ],
  [
    'a model that says it could not',
    { ending: { kind: 'incomplete', because: 'missing_data', what: 'No data for March.', tried: 'Two queries.' } },
    [{ code: 'MODEL_INCOMPLETE', message: 'The model could not do it (missing_data): No data for March. Tried: Two queries.' }],
  ],
  [
    'a result that is not the whole',
    { calls: [call({ text: '{"rows":[1],"truncated":true}' })] },
    [
      {
        code: 'RESULT_PARTIAL',
        message: 'The last result of act says that it is not the whole (truncated: true), and nothing was read after it.',
      },
    ],
  ],
  ['such a result where a part is enough', { partial: ['hr'], calls: [call({ text: '{"rows":[1],"truncated":true}' })] }, []],
  [
    'a value that no tool gave',
    { ungrounded: [{ path: '/rows/0/rate', value: 0 }] },
    [{ code: 'OUTPUT_UNGROUNDED', message: 'The answer says what no tool gave: /rows/0/rate is 0.' }],
  ],
  ['nothing new', { ending: { kind: 'nothing-new', why: 'no rows' } }, []],
])('%s: what stands against green', (_, facts, reasons) => {
  const found = reasonsAgainst({ ...clean, ...facts })
  expect(found).toEqual(reasons)
  expect(decideOutcome(found)).toBe(reasons.length === 0 ? 'succeeded' : 'incomplete')
})

test('all that stands against a run is listed, why it ended first, and the same thing once', () => {
  const facts: AnswerFacts = {
    ...clean,
    forcedBy: [turns],
    passed: [tokens],
    calls: [
      call({ status: 'denied' }),
      call({ status: 'denied' }),
      call({ status: 'ok', truncated: true }),
      call({ tool: 'look', truncated: true }),
    ],
    cut: true,
    misfit: 'it is empty',
  }
  expect(reasonsAgainst(facts).map(({ code, message }) => [code, message])).toEqual([
    ['BUDGET_TURNS', 'All 2 turns were used.'],
    ['BUDGET_TOKENS', '9 of 8 tokens were used.'],
    ['TOOL_DENIED', 'Policy denied act.'],
    ['RESULT_TOO_LARGE', 'A result of act was cut.'],
    ['RESULT_TOO_LARGE', 'A result of look was cut.'],
    ['ANSWER_CUT', 'The model’s answer was cut at its output limit.'],
    ['OUTPUT_INVALID', 'The answer does not match output.schema: it is empty'],
  ])
})

test('an answer that is larger than what is kept names the limit', () => {
  expect(answerTooLarge(512)).toEqual({ code: 'ANSWER_CUT', message: 'The answer was cut at 512 bytes (limits.outputBytes).' })
})

test.each([
  ['one call to any of the required servers', { hr: {}, crm: {} }, [{ servers: ['hr', 'crm'], minCalls: 1 }]],
  ['nothing of optional servers', { hr: { required: false } }, []],
  ['nothing of a server that says 0', { hr: { minCalls: 0 }, crm: {} }, [{ servers: ['crm'], minCalls: 1 }]],
  ['nothing when all say 0', { hr: { minCalls: 0 } }, []],
  [
    'of each server that has a number as many calls',
    { hr: { minCalls: 2 }, crm: { required: false, minCalls: 1 }, wiki: {} },
    [
      { servers: ['hr'], minCalls: 2 },
      { servers: ['crm'], minCalls: 1 },
    ],
  ],
])('a job needs %s', (_, tools: Record<string, { required?: boolean; minCalls?: number }>, needed) => {
  expect(needsOf(Object.fromEntries(Object.entries(tools).map(([name, server]) => [name, { required: true, ...server }])))).toEqual(needed)
})
