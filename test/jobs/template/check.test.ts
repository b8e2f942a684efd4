import { expect, test } from 'vitest'
import { checkTemplate, type TemplateOffer } from '../../../src/jobs/template/check.ts'

const KNOWN = 'a template knows input, fire_time, now, previous_fire, period, trigger, timezone, run_id, job'
const NOTHING: TemplateOffer = { previousFire: false, period: false, inputs: [] }

test.each([
  ['{{ inputs.x }}', 'uses the unknown variable inputs; did you mean input?'],
  ['{{ a }}{% if b %}{% endif %}', `uses the unknown variable a, b; ${KNOWN}`],
  ['{{ fire_time | date: fmt }}', `uses the unknown variable fmt; ${KNOWN}`],
  ['{{ fire_time | date: "%Q" }}', 'the date format has %Q, which strftime does not know; correct it, or write %% for a percent sign'],
  [
    '{% assign x = now | date: "100%" %}',
    'the date format has %, which strftime does not know; correct it, or write %% for a percent sign',
  ],
  [
    '{% if true %}{% for i in (1..2) %}{{ now | date: "%F" | append: "x" }}{{ now | date: "%E %i" }}{% endfor %}{% endif %}',
    'the date format has %E and %i, which strftime does not know; correct it, or write %% for a percent sign',
  ],
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
  expect(checkTemplate(template, { previousFire: true, period: true, inputs: undefined })).toBe(fault)
})

test.each<[string, Partial<TemplateOffer>, string | undefined]>([
  ['{{ previous_fire }}', {}, 'uses previous_fire, which a job without a schedule does not have; take it out, or add schedule:'],
  ['{{ previous_fire }}', { previousFire: true }, undefined],
  ['{{ period.from }}', { previousFire: true }, 'uses period, which needs schedule.period: day, week, month or since-last-green'],
  ['{{ period.from }} {{ period.to }}', { previousFire: true, period: true }, undefined],
  ['{{ input.x }}', {}, 'uses input.x, but the job takes no input; describe it under input: properties:'],
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
  expect(checkTemplate(template, { ...NOTHING, ...offer })).toBe(fault)
})
