import { expect, test } from 'vitest'
import { checkTemplate, type TemplateOffer } from '../../../src/jobs/template/check.ts'

const KNOWN = 'a template knows input, fire_time, now, previous_fire, period, trigger, timezone, run_id, job'
const TAGS =
  'known are assign, for, capture, case, comment, decrement, increment, cycle, if, raw, tablerow, unless, break, continue, echo, liquid, #'
const NOTHING: TemplateOffer = { previousFire: false, period: false, inputs: [] }

test.each<[template: string, message: string, line?: number]>([
  ['{{ inputs.x }}', 'uses the unknown variable inputs; did you mean input?'],
  ['{{ a }}{% if b %}{% endif %}', `uses the unknown variable a, b; ${KNOWN}`],
  ['{{ fire_time | date: fmt }}', `uses the unknown variable fmt; ${KNOWN}`],
  [
    '{{ fire_time | date: "%Q" }}',
    'asks for a date in a format that has %Q, which strftime does not know; write for example %Y-%m-%d, or %% for a percent sign',
  ],
  [
    '{% assign x = now | date: "100%" %}',
    'asks for a date in a format that has %, which strftime does not know; write for example %Y-%m-%d, or %% for a percent sign',
  ],
  [
    '{% if true %}{% for i in (1..2) %}{{ now | date: "%F" | append: "x" }}{{ now | date: "%E %i" }}{% endfor %}{% endif %}',
    'asks for a date in a format that has %E and %i, which strftime does not know; write for example %Y-%m-%d, or %% for a percent sign',
  ],
  [
    '{% if %}',
    'is not a valid Liquid template: invalid value expression: ""; write a variable and filters, as in {{ fire_time | date: "%F" }}',
  ],
  ['one\ntwo {{ input.x', 'has a {{ that is not closed; close it with }}', 2],
  ['{% for x in input %}', 'has {% for x in input %} that is not closed; close it with {% endfor %}'],
  ['{% nosuch %}', `uses the unknown tag nosuch; ${TAGS}`],
  ['{{ job | nosuch }}', 'uses the unknown filter nosuch; take it out'],
  ['\n\n{{ job | upcse }}', 'uses the unknown filter upcse; did you mean upcase?', 3],
  ['a\nb {{ input }} {{ fire_tme }}', 'uses the unknown variable fire_tme; did you mean fire_time?', 2],
  [
    'a\n{{ now | date: "%Q" }}',
    'asks for a date in a format that has %Q, which strftime does not know; write for example %Y-%m-%d, or %% for a percent sign',
    2,
  ],
  ...['include', 'render', 'layout', 'block'].map((tag): [string, string] => [
    `{% ${tag} "package.json" %}`,
    `uses the unknown tag ${tag}; ${TAGS}`,
  ]),
])('%j is found before a run', (template, message, line = 1) => {
  expect(checkTemplate(template, { previousFire: true, period: true, inputs: undefined })).toEqual({ message, line })
})

test.each<[string, Partial<TemplateOffer>, string | undefined]>([
  ['{{ previous_fire }}', {}, 'uses previous_fire, which a job without a schedule does not have; take it out, or add schedule:'],
  ['{{ previous_fire }}', { previousFire: true }, undefined],
  ['{{ period.from }}', { previousFire: true }, 'uses period, which needs schedule.period: day, week, month or since-last-green'],
  ['{{ period.from }} {{ period.to }}', { previousFire: true, period: true }, undefined],
  [
    '{{ input.x }}',
    {},
    'uses input.x, but the job takes no input; describe it under input:, as { type: object, required: [x], properties: { x: { type: string } } }',
  ],
  [
    '{{ input.indstry }} {{ input["industry"] }}',
    { inputs: ['industry', 'from'] },
    'uses input.indstry, which is not among the properties of input:; did you mean industry?',
  ],
  ['{% for x in input.rows %}{{ x.name }}{% endfor %}', { inputs: ['rows'] }, undefined],
  ['{{ input.x.y }}', { inputs: undefined }, undefined],
  ['{{ input | json }}', {}, undefined],
  [
    '{{ now }} {{ trigger }} {{ timezone }} {{ run_id }} {{ job }} {{ fire_time | plus_days: 1 | date: "%-d.%-m.%Y, %V %%" }}',
    {},
    undefined,
  ],
])('%s in a job with %j', (template, offer, fault) => {
  expect(checkTemplate(template, { ...NOTHING, ...offer })?.message).toBe(fault)
})
