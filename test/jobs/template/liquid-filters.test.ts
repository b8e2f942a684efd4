import { describe, expect, test } from 'vitest'
import { engine } from '../../../src/jobs/template/engine.ts'
import { renderTemplate } from '../../../src/jobs/template/render.ts'

const at = new Date('2027-01-04T05:00:00Z')
const render = (template: string, input: unknown) =>
  renderTemplate(template, {
    input,
    job: 'j',
    runId: 'run_1',
    fireTime: at,
    now: at,
    previousFire: undefined,
    period: undefined,
    trigger: 'schedule',
    timezone: 'UTC',
  })

/** The text, or `refused`. */
function attempt(template: string, input: unknown): string {
  try {
    return render(template, input)
  } catch (error) {
    expect(error).toMatchObject({ code: 'INPUT_INVALID' })
    return 'refused'
  }
}

describe('a filter makes no other value of one that it has no answer for', () => {
  // Their answer for a mapping, a list or null is a right one: a count, JSON, or a list that has to be written in its turn.
  const COUNTING = new Set(['size', 'number_of_words', 'json', 'jsonify', 'inspect', 'default', 'raw', 'base64_encode', 'has', 'has_exp', 'find_index', 'find_index_exp']) // prettier-ignore
  const filters = Object.keys(engine.filters).filter((name) => !COUNTING.has(name))
  const VALUES = [{ id: 1 }, [{ id: 1 }], [1, { id: 1 }], null, [null]]

  test.each(filters)('%s', (filter) => {
    for (const v of VALUES)
      for (const template of [
        `{{ input.v | ${filter} }}`,
        `{{ input.v | ${filter}: "2" }}`,
        `{{ "2026-01-01" | ${filter}: input.v }}`,
        `{{ 2 | ${filter}: input.v }}`,
      ]) {
        const text = attempt(template, { v })
        expect([template, v, text]).toEqual([template, v, expect.not.stringMatching(/object Object|NaN|Infinity|undefined/i)])
      }
  })

  test.each([
    ['{{ input.v | last | upcase }}', []],
    ['{{ input.v | plus: 1 }}', 'abc'],
    ['{{ input.v | plus: 1 }}', '1,000'],
    ['{{ input.v | times: 2 }}', ''],
    ['{{ input.v | divided_by: 0 }}', 1],
    ['{{ input.v | modulo: 0 }}', 1],
    ['{{ 1 | plus: input.v }}', null],
    ['{{ input.v | sum }}', [1, 'x']],
    ['{{ input.v | sum: "price" }}', [{ price: 1 }, {}]],
    ['{{ "a" | replace: "a", input.v }}', null],
    ['{{ input.v | date: "%F", 120 }}', '2026-01-01'],
    ['{{ input.v | size }}', { id: 1 }],
    ['{{ input.v | size }}', null],
    ['{{ input.v | size }}', 12],
    ['{{ input.v | first }}', { id: 1 }],
    ['{{ input.v | last }}', { id: 1 }],
    ['{{ input.v | slice: 0, 5 }}', { id: 1 }],
    ['{{ input.v | slice: 0, 5 }}', 2026],
    ['{{ input.v | join: ", " }}', null],
    ['{{ input.v | sum }}', null],
  ])('%s with %j is refused', (template, v) => {
    expect(attempt(template, { v })).toBe('refused')
  })
})

test.each([
  ['{{ input.v | join: ", " }}', [1, 'a', true], '1, a, true'],
  ['{{ input.v | array_to_sentence_string }}', ['a', 'b'], 'a and b'],
  ['{{ input.v | plus: 1 }}', '41', '42'],
  ['{{ input.v | divided_by: 2 }}', 7, '3.5'],
  ['{{ input.v | divided_by: 2, true }}', 7, '3'],
  ['{{ input.v | round: 1 }}', 2.345, '2.3'],
  ['{{ input.v | sum: "price" }}', [{ price: 1 }, { price: '2' }], '3'],
  ['{{ input.v | truncate: 5 }}', 'abcdefghij', 'ab...'],
  ['{{ input.v | map: "id" | join }}', [{ id: 1 }, { id: 2 }], '1 2'],
  ['{{ input.v | upcase | append: 1 }}', 'a', 'A1'],
  ['{{ fire_time | append: "!" }}', null, '2027-01-04T05:00:00+00:00!'],
  ['{{ input.v | default: 0 | plus: 1 }}', null, '1'],
])('%s with %j is as it was', (template, v, text) => {
  expect(render(template, { v })).toBe(text)
})

test('the same scope gives the same text: nothing draws by chance', () => {
  expect(attempt('{{ input.v | sample }}', { v: [1, 2, 3] })).toBe('refused')
})
