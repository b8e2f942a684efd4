// @ts-nocheck
import { expect, test } from 'vitest'
import { checkTemplate, renderTemplate, type TemplateScope } from '../../src/jobs/template.ts'

const scope: TemplateScope = {
  input: { department: 'R&D', rows: ['a', 'b'], nothing: null },
  fire_time: new Date('2026-01-01T23:30:05Z'),
  run_id: 'run_1',
  job: 'weekly',
}

test.each([
  ['{{ input.department }} {{ run_id }} {{ job }}', 'R&D run_1 weekly'],
  ['{% for row in input.rows %}[{{ row }}]{% endfor %}', '[a][b]'],
  ['a{% if input.absent %} of {{ input.absent }}{% endif %}', 'a'],
  ['{{ input.absent | default: "none" }}', 'none'],
  ['{{ input.nothing }}|', '|'],
  ['{% assign n = 2 %}{{ n | times: 3 }}', '6'],
])('%s is %s', (template, text) => {
  expect(checkTemplate(template)).toBeUndefined()
  expect(renderTemplate(template, scope)).toBe(text)
})

test.each([
  ['%F', 'UTC', '2026-01-01'],
  ['%F', 'Asia/Tokyo', '2026-01-02'],
  ['%F', undefined, '2026-01-01'],
  ['%FT%T%z', 'Europe/Zurich', '2026-01-02T00:30:05+0100'],
  ['%D %R', 'America/New_York', '01/01/26 18:30'],
  ['%%F %Y', 'UTC', '%F 2026'],
])('a date as %s in %s is %s', (format, timezone, text) => {
  expect(renderTemplate(`{{ fire_time | date: "${format}" }}`, { ...scope, timezone })).toBe(text)
})

test('a date without a format is written out', () => {
  expect(renderTemplate('{{ fire_time | date }}', scope)).toContain('January 1, 2026')
})

test.each([
  ['{{ inputs.x }}', 'uses the unknown variable inputs; a template knows input, fire_time, run_id, job'],
  ['{{ a }}{% if b %}{% endif %}', 'uses the unknown variable a, b; a template knows input, fire_time, run_id, job'],
  ['{{ fire_time | date: fmt }}', 'uses the unknown variable fmt; a template knows input, fire_time, run_id, job'],
  ['{% if %}', 'is not a valid Liquid template: invalid value expression: "", line:1, col:6'],
  ['one\ntwo {{ input.x', 'is not a valid Liquid template: output "{{ input.x" not closed, line:2, col:5'],
  ['{% for x in input %}', 'is not a valid Liquid template: tag {% for x in input %} not closed, line:1, col:1'],
  ['{% nosuch %}', 'is not a valid Liquid template: tag "nosuch" not found, line:1, col:1'],
  ['{{ job | nosuch }}', 'is not a valid Liquid template: undefined filter: nosuch, line:1, col:1'],
  ...['include', 'render', 'layout', 'block'].map((tag) => [
    `{% ${tag} "package.json" %}`,
    `is not a valid Liquid template: tag "${tag}" not found, line:1, col:1`,
  ]),
])('%j is found before a run', (template, fault) => {
  expect(checkTemplate(template)).toBe(fault)
})

/** Why a template is not rendered. */
function refused(template: string, other: Partial<TemplateScope> = {}): unknown {
  try {
    return `rendered: ${renderTemplate(template, { ...scope, ...other })}`
  } catch (error) {
    return error
  }
}

test.each([
  ['{{ input.absent }}', 'undefined variable: input.absent, line:1, col:4'],
  ['{% for x in input.absent %}{% endfor %}', 'undefined variable: input.absent, line:1, col:13'],
  ['{{ input.constructor }}', 'undefined variable: input.constructor, line:1, col:4'],
  ['{{ input.rows.constructor.constructor }}', 'undefined variable: input.rows.constructor, line:1, col:4'],
  ['{{ input.__proto__.x }}', 'undefined variable: input.__proto__, line:1, col:4'],
  ['{% include input.department %}', 'tag "include" not found, line:1, col:1'],
])('%s is INPUT_INVALID, never an empty place in a prompt', (template, why) => {
  expect(refused(template)).toMatchObject({
    code: 'INPUT_INVALID',
    message: `The prompt of job weekly cannot be rendered: ${why}. Correct the input.`,
  })
})

test('without input, each of its fields is a variable that is not there', () => {
  expect(refused('{{ input.department }}', { input: {} })).toMatchObject({ code: 'INPUT_INVALID' })
})

test.each([
  ['a list of a billion', '{% for i in (1..1000000000) %}x{% endfor %}', 'memory alloc limit exceeded'],
  [
    'a text that doubles',
    '{% assign x = "aaaaaaaaaa" %}{% for i in (1..30) %}{% assign x = x | append: x %}{% endfor %}{{ x }}',
    'memory alloc limit exceeded',
  ],
  ['loops in loops', '{% for i in (1..100000) %}{% for j in (1..100000) %}{% endfor %}{% endfor %}', 'template render limit exceeded'],
])('%s is given up', (_, template, why) => {
  expect(refused(template)).toMatchObject({ code: 'INPUT_INVALID', message: expect.stringContaining(why) })
})
