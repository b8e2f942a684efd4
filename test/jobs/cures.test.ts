import { expect, test } from 'vitest'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadJobs } from '../../src/jobs/directory.ts'
import { createJobFiles, GOOD, OFFER } from '../support/app/job-files.ts'

const files = createJobFiles()

test.each(['H * * * *', 'H H * * *', 'H/15 * * * *', '0,H 7 * * *', 'h 7 * * *', 'H(0-7) 3 * * *', '0 7 15W * *', '5/20 * * * *'])(
  'a cron of %s is refused: it has more than our documents say',
  (cron) => {
    const found = files.faults(`${GOOD}schedule:\n  timezone: UTC\n  cron: "${cron}"\n`)
    expect(found).toEqual([
      expect.stringMatching(
        /^job\.yaml:8: schedule\.cron (has a part that not every cron knows \(.* is no (minute|day of the month), which is .*\); write numbers|is not a cron expression)/,
      ),
    ])
  },
)

test.each([
  ['*/90 * * * *', '90'],
  ['0 */48 * * *', '48'],
  ['0 0 1-31/40 * *', '40'],
])('a cron of %s is refused: its step is not what it says', (cron, step) => {
  expect(files.faults(`${GOOD}schedule: { timezone: UTC, cron: "${cron}" }\n`)).toEqual([
    expect.stringContaining(`schedule.cron has the step ${step}, which is longer than its field`),
  ])
})

test.each([
  ['0 0 7 * * 1', '"0 7 * * 1"'],
  ['0 7 ? * 1 *', '"0 7 ? * 1"'],
  ['0 30 6 1 * ?', '"30 6 1 * ?"'],
  ['*/30 * * * * *', 'minute hour day month weekday'],
])('a cron of six fields, %s, is refused with the five that were meant', (cron, five) => {
  expect(files.faults(`${GOOD}schedule: { timezone: UTC, cron: "${cron}" }\n`)).toEqual([
    `job.yaml:6: schedule.cron has six fields; a job is due once a minute at most, so write five: ${five}`,
  ])
})

test('the letter in the name of a day or month is no H', () => {
  for (const cron of ['0 7 * * THU', '0 7 * MAR-OCT *'])
    expect(files.faults(`${GOOD}schedule:\n  timezone: UTC\n  cron: "${cron}"\n`), cron).toEqual([])
})

test.each([
  '0 7 * * 1',
  '*/15 8-18 * * MON-FRI',
  '0 0 1,15 JAN,Jul *',
  '5-59/20 * * * *',
  '*/60 */24 */31 */12 */7',
  '  30 6 * * 1-5/2 ',
  '0 7 L * *',
  '0 7 * * 5L',
  '0 7 * * 1#2',
  '0 7 ? * 1',
])('a cron of %s is taken', (cron) => {
  expect(files.faults(`${GOOD}schedule: { timezone: UTC, cron: "${cron}" }\n`)).toEqual([])
})

test('what became a part of the text above it, by its indentation, is told as that', () => {
  const found = files.faults(
    GOOD.replace('prompt: Go', 'prompt: |\n  Go')
      .replace(/^tools:/m, '  tools:')
      .replace('  labor', '    labor'),
  )
  expect(found).toEqual([
    expect.stringContaining(':5: tools is missing: it stands in the text of prompt; indent it less, as the other keys are'),
  ])
})

test.each([
  ['Zurich', 'did you mean Europe/Zurich?'],
  ['new york', 'did you mean America/New_York?'],
  ['Europe/Zürich', 'did you mean Europe/Zurich?'],
  ['Mars', 'use a name such as Europe/Zurich or UTC'],
])('of the zone %s it is said: %s', (timezone, cure) => {
  expect(files.faults(`${GOOD}timezone: ${timezone}\n`)).toEqual([expect.stringContaining(`timezone is not a time zone; ${cure}`)])
})

test.each([
  ['a colon', 'Report: the numbers', 'a text has a colon and a space in it, as a key has; write | behind the key'],
  ['a sign at its beginning', '@all go', 'put the text in quotes'],
  ['a star at its beginning', '*all* go', 'put a text that begins with a sign in quotes'],
  ['a number for its words', '5', 'prompt must be a text; put it in quotes'],
])('of a text with %s the cure is told', (_, text, cure) => {
  expect(files.faults(GOOD.replace('Go', text))).toEqual([expect.stringContaining(cure)])
})

test.each([
  ['a text', 'query', 'must be a list; put it in square brackets'],
  ['a mapping', '{ query: 1 }', 'must be a list; begin each entry with a dash (-)'],
])('of %s for a list the form is told', (_, allow, cure) => {
  expect(files.faults(GOOD.replace('[query]', allow))).toEqual([expect.stringContaining(cure)])
})

test.each([
  ['schedule', `${GOOD}schedule: "0 7 * * 1"\n`, 'schedule must be a mapping, such as { cron: "0 7 * * 1", timezone: Europe/Zurich }'],
  ['a server', GOOD.replace('{ allow: [query] }', '[query]'), 'tools.labor must be a mapping, such as { allow: [query] }'],
])('the form of %s is shown', (_, text, fault) => {
  expect(files.faults(text)).toEqual([expect.stringContaining(fault)])
})

test('a pattern that looks ahead is refused where it stands, since it may take for ever', () => {
  expect(files.faults(`${GOOD}input: { type: object, properties: { note: { type: string, pattern: "^(?=a)" } } }\n`)).toEqual([
    expect.stringContaining('looks around or back'),
  ])
})

test('keywords and types of a schema that are misspelt have a line each, where they stand', () => {
  const schema =
    'output:\n  schema:\n    type: object\n    requried: [summary]\n    properties:\n      summary: { type: strin, minLenght: 20 }\n'
  expect(files.faults(`${GOOD}${schema}`)).toEqual([
    expect.stringContaining(':9: output.schema.requried is no keyword of JSON Schema; did you mean required?'),
    expect.stringContaining(':11: output.schema.properties.summary.minLenght is no keyword of JSON Schema; did you mean minLength?'),
    expect.stringContaining(':11: output.schema.properties.summary.type is strin, which is no type; did you mean string?'),
  ])
})

test('what looks like a secret in a job file is a warning that does not repeat it', () => {
  const dir = files.freshDir()
  writeFileSync(join(dir, 'job.yaml'), GOOD.replace('Go', `Use sk-proj-${'a1'.repeat(20)}`))
  const { issues, warnings } = loadJobs(dir, OFFER)
  expect([issues, files.plain(dir, warnings)]).toEqual([
    [],
    [expect.stringContaining('job.yaml:3: has what looks like a key of a model provider')],
  ])
  expect(warnings.join()).not.toContain('a1a1')
})

const SCHEMA =
  'schema: { type: object, additionalProperties: false, properties: { title: { type: string }, rows: { type: array, items: { type: object, additionalProperties: false, properties: { rate: { type: number } } } } } }'

test.each([
  ['title', undefined],
  ['rows', undefined],
  ['rows.*.rate', undefined],
  ['rows.0.rate', undefined],
  ['rows.*.rat', 'names rat; did you mean rate?'],
  ['totals', 'names totals; known are title, rows'],
  ['rows.rate', 'has rate where a list is; write * for each of its values'],
  ['title.first', 'goes on with first where the schema has a string'],
])('a path of grounded values is held against the schema: %s', (path, why) => {
  const found = files.faults(`${GOOD}output:\n  grounded: ["${path}"]\n  ${SCHEMA}\n`)
  expect(found).toEqual(why === undefined ? [] : [`job.yaml:7: output.grounded.0 ${path} ${why}`])
})

const REGION = 'input: { type: object, required: [region], additionalProperties: false, properties: { region: { type: string } } }\n'

test.each([
  ['{ region: ZH }', REGION, []],
  ['{ region: 7 }', REGION, ['schedule.input does not match input: of the job: /region must be string']],
  [
    '{ regin: ZH }',
    REGION,
    [expect.stringContaining("schedule.input does not match input: of the job: the input must have required property 'region'")],
  ],
  ['{ region: ZH }', '', ['schedule.input is given, but the job takes no input; describe it under input: of the job']],
])('the input of a schedule, %s, is held against the input of its job (%j)', (input, schema, found) => {
  const faults = files.faults(`${GOOD}${schema}schedule: { cron: "0 7 * * 1", timezone: UTC, input: ${input} }\n`)
  expect(faults.map((line) => line.replace(/^job\.yaml:\d+: /, ''))).toEqual(found)
})
