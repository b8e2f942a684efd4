import { describe, expect, test } from 'vitest'
import { renderTemplate } from '../../../src/jobs/template/render.ts'
import type { TemplateScope } from '../../../src/jobs/template/scope.ts'

const scope: TemplateScope = {
  input: { department: 'R&D', rows: ['a', 'b'], nothing: null, day: '2026-03-29', more: { n: 1 }, none: [] },
  job: 'weekly',
  runId: 'run_1',
  fireTime: new Date('2026-01-01T23:30:05Z'),
  now: new Date('2026-01-02T08:12:13.456Z'),
  previousFire: new Date('2025-12-25T23:30:05Z'),
  period: undefined,
  trigger: 'schedule',
  timezone: 'UTC',
}

test.each([
  ['{{ input.department }} {{ run_id }} {{ job }}', 'R&D run_1 weekly'],
  ['{% for row in input.rows %}[{{ row }}]{% endfor %}', '[a][b]'],
  ['a{% if input.absent %} of {{ input.absent }}{% endif %}', 'a'],
  ['{{ input.absent | default: "none" }}', 'none'],
  ['{{ input.nothing | default: "" }}|', '|'],
  ['{{ input.nothing | json }} {{ input.more | json }} {{ input.rows | join: ", " }}', 'null {"n":1} a, b'],
  ['{{ trigger }} {{ timezone }} {{ true }} {{ 1.5 }}', 'schedule UTC true 1.5'],
  ['{% assign n = 2 %}{{ n | times: 3 }}', '6'],
])('%s is %s', (template, text) => {
  expect(renderTemplate(template, scope)).toBe(text)
})

test.each([
  ['%F', 'UTC', '2026-01-01'],
  ['%F', 'Asia/Tokyo', '2026-01-02'],
  ['%FT%T%z', 'Europe/Zurich', '2026-01-02T00:30:05+0100'],
  ['%D %R', 'America/New_York', '01/01/26 18:30'],
  ['%%F %Y', 'UTC', '%F 2026'],
])('a date as %s in %s is %s', (format, timezone, text) => {
  expect(renderTemplate(`{{ fire_time | date: "${format}" }}`, { ...scope, timezone })).toBe(text)
})

describe('a date', () => {
  test.each([
    ['{{ fire_time }}', '2026-01-02T00:30:05+01:00'],
    ['{{ fire_time | append: "!" }} {{ fire_time | json }}', '2026-01-02T00:30:05+01:00! "2026-01-02T00:30:05+01:00"'],
    ['{{ fire_time | date }}', 'Friday, January 2, 2026 at 12:30 am +0100'],
    ['{{ now }} {{ "now" | date: "%T" }} {{ "today" | date: "%F" }}', '2026-01-02T09:12:13+01:00 09:12:13 2026-01-02'],
    ['{{ previous_fire | date: "%F %R" }}', '2025-12-26 00:30'],
    ['{% if fire_time > previous_fire and now >= fire_time and previous_fire < "2026-01-01" %}yes{% endif %}', 'yes'],
    ['{% if fire_time == "2026-01-01T23:30:05Z" and fire_time != now %}yes{% endif %}', 'yes'],
    ['{% if now <= fire_time or fire_time == nil %}yes{% else %}no{% endif %}', 'no'],
    ['{% capture at %}{{ fire_time }}{% endcapture %}{{ at | date: "%H" }}', '00'],
    ['{{ fire_time | date: "%F %H %Z", "Asia/Tokyo" }}', '2026-01-02 08 Asia/Tokyo'],
    ['{{ input.day | date: "%F %T" }}', '2026-03-29 00:00:00'],
    ['{{ "2026-03-29T02:30" | date: "%FT%T%:z" }}', '2026-03-29T03:30:00+02:00'],
    ['{{ "2026-10-25 02:30:00" | date: "%T%:z" }}', '02:30:00+02:00'],
    [
      '{{ "2026-07-01T12:00:00-07:00" | date: "%F %R" }} {{ 1767310205 | date: "%F" }} {{ "1767310205" | date: "%R" }}',
      '2026-07-01 21:00 2026-01-02 00:30',
    ],
    ['{{ now | date_to_xmlschema }} {{ now | date_to_rfc822 }}', '2026-01-02T09:12:13+01:00 Fri, 02 Jan 2026 09:12:13 +0100'],
    ['{{ now | date_to_string }} {{ now | date_to_long_string }}', '02 Jan 2026 02 January 2026'],
    ['{{ now | date_to_string: "ordinal" }} {{ now | date_to_long_string: "ordinal", "US" }}', '2nd Jan 2026 January 2nd, 2026'],
  ])('%s in Europe/Zurich is %s', (template, text) => {
    expect(renderTemplate(template, { ...scope, timezone: 'Europe/Zurich' })).toBe(text)
  })

  test('a period is half open, and its ends are dates', () => {
    const period = { from: new Date('2026-01-31T23:00Z'), to: new Date('2026-02-28T23:00Z') }
    expect(renderTemplate('{{ period.from | date: "%F" }} {{ period.to }}', { ...scope, timezone: 'Europe/Zurich', period })).toBe(
      '2026-02-01 2026-03-01T00:00:00+01:00',
    )
  })

  // Clocks go forward on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00.
  test.each([
    ['"2026-03-28T02:30" | plus_days: 1', '2026-03-29T03:30:00+02:00'],
    ['"2026-03-28T12:00" | plus_days: 1', '2026-03-29T12:00:00+02:00'],
    ['"2026-03-28T12:00" | plus_hours: 24', '2026-03-29T13:00:00+02:00'],
    ['"2026-03-30" | minus_days: 1', '2026-03-29'],
    ['"2026-10-26" | minus_days: 1', '2026-10-25'],
    ['"2026-10-25T12:00" | minus_hours: 24', '2026-10-24T13:00:00+02:00'],
    ['"2026-10-25T01:30" | plus_minutes: 120', '2026-10-25T02:30:00+01:00'],
    ['"2026-03-29" | plus_weeks: 1', '2026-04-05'],
    ['"2026-01-31" | plus_months: 1', '2026-02-28'],
    ['"2026-03-31" | minus_months: 1', '2026-02-28'],
    ['"2024-02-29" | plus_years: 1', '2025-02-28'],
    ['"2026-01-01" | minus_years: -1', '2027-01-01'],
  ])('%s is %s in Europe/Zurich', (template, text) => {
    expect(renderTemplate(`{{ ${template} }}`, { ...scope, timezone: 'Europe/Zurich' })).toBe(text)
  })
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
  ['{{ input.nothing }}', 'there is nothing to write here (null); add | default: "none", or | json to write null, line:1, col:1'],
  ['{{ input.nothing | raw }}', 'there is nothing to write here (null); add | default: "none", or | json to write null, line:1, col:1'],
  ['{% echo input.none | first %}', 'there is nothing to write here (null); add | default: "none", or | json to write null, line:1, col:1'],
  ['a\n{{ input.more }}', 'a mapping has no text of its own; name one of its fields, or add | json, line:2, col:1'],
  ['{{ input.rows }}', 'a list has no text of its own; add | join: ", " or | json, line:1, col:1'],
  ['{{ input.nothing | date: "%F" }}', 'nothing is not a date; write it as 2026-01-31 or 2026-01-31T07:00:00Z, line:1, col:1'],
  ['{{ "March 14, 2016" | date: "%F" }}', '"March 14, 2016" is not a date; write it as 2026-01-31 or 2026-01-31T07:00:00Z, line:1, col:1'],
  ['{{ "2026-02-30" | date: "%F" }}', '"2026-02-30" is not a date; write it as 2026-01-31 or 2026-01-31T07:00:00Z, line:1, col:1'],
  ['{{ input.rows | date: "%F" }}', 'a value is not a date; write it as 2026-01-31 or 2026-01-31T07:00:00Z, line:1, col:1'],
  [
    '{% assign f = "%E" %}{{ fire_time | date: f }}',
    'the date format has %E, which strftime does not know; write for example %Y-%m-%d, or %% for a percent sign, line:1, col:22',
  ],
  ['{{ fire_time | date: 1 }}', 'the date format is not a text; write for example "%Y-%m-%d", line:1, col:1'],
  ['{{ fire_time | plus_days: 1.5 }}', 'how many must be a whole number, as in plus_days: 1, line:1, col:1'],
  ['{{ period.from }}', 'undefined variable: period, line:1, col:4'],
  ['{% include input.department %}', 'tag "include" not found, line:1, col:1'],
])('%s is INPUT_INVALID, never an empty place in a prompt', (template, why) => {
  expect(refused(template)).toMatchObject({
    code: 'INPUT_INVALID',
    message: `The prompt of job weekly cannot be rendered: ${why}.`,
    cure: /: input\./.test(why)
      ? expect.stringMatching(
          /^Give input\.\w+.*, or in the job file name it under required: of the schema, or write \{\{ input\..* \| default: "none" \}\}\.$/,
        )
      : 'Correct the input.',
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
