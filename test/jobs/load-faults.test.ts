import type { Offer } from '../../src/jobs/check.ts'
import { expect, test } from 'vitest'
import { createJobFiles, GOOD, OFFER } from '../support/app/job-files.ts'

/** The faults of each text, under its title. */
function faultsOf(texts: Record<string, string>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(texts).map(([title, text]) => [title, files.faults(text)]))
}

const files = createJobFiles()

test('each fault of the shape has its line, its field and its cure', () => {
  const shapes = {
    'missing fields': 'description: x\n',
    'missing fields further in': 'account: reports\nmodel: {}\nprompt: x\ntools:\n  labor: {}\nschedule:\n  missed: all\noutput: {}\n',
    'unknown keys': `${GOOD}shedule: {}\n\nlimts: 1\n`,
    'unknown keys further in': `${GOOD}limits:\n  turns: 3\n  turnz: 4\nretry: { atempts: 2 }\n`.replace(
      '{ allow: [query] }',
      '{ allow: [query], repetable: [query] }',
    ),
    'wrong types':
      'account: 1\nmodel: x\nprompt: [a]\ntools: []\nlimits: { turns: many, deadline: 10 }\nretry: 3\nonUnknown: maybe\ndelegate: remote\n',
    'wrong types in lists':
      'account: reports\nmodel: { provider: openai, name: m }\nprompt: Go\ntools:\n  labor:\n    allow:\n      - query\n      - 7\n      - ""\n',
    'numbers out of range': `${GOOD}limits:\n  turns: 0\n  toolCalls: -1\n  tokens: 1.5\n  costUsd: 0\n  resultBytes: 10\n  deadline: 10 minutes\nretry:\n  attempts: 101\n  backoff: 25d\n`,
    'numbers that are none': `${GOOD}limits:\n  turns: .inf\n  costUsd: .nan\n`,
    'duplicate keys': `${GOOD}prompt: again\n`.replace('allow: [query]', 'allow: [query], allow: [x]'),
    'no tools': GOOD.replace(/tools:[^]*/, 'tools: {}\n'),
    'a server without tools': GOOD.replace('[query]', '[]'),
    'a server that is no name': GOOD.replace('labor', '"a b"'),
    'a repeatable tool that is not allowed': GOOD.replace('{ allow: [query] }', '{ allow: [query], repeatable: [query, other] }'),
    'an empty prompt': GOOD.replace('prompt: Go', 'prompt: ""'),
    'a prompt that is null': GOOD.replace('prompt: Go', 'prompt:'),
    'a schedule without a zone': `${GOOD}schedule: { cron: "0 7 * * 1" }\n`,
    'a server named as our own tools': GOOD.replace('labor', 'nightshift'),
    'names that are none': GOOD.replace('reports', '__proto__').replace('openai', '"open ai"'),
    'broken YAML': `${GOOD}limits: { turns: 3\n`,
    'two documents': `${GOOD}---\n${GOOD}`,
    'a list': '- a\n- b\n',
  }
  expect(faultsOf(shapes)).toMatchInlineSnapshot(`
    {
      "a list": [
        "job.yaml:1: must be a mapping",
      ],
      "a prompt that is null": [
        "job.yaml:3: prompt is empty; it must be a text",
      ],
      "a repeatable tool that is not allowed": [
        "job.yaml:5: tools.labor.repeatable names other, which is not under allow; add it there or take it out here",
      ],
      "a schedule without a zone": [
        "job.yaml:6: schedule.timezone is missing; name a time zone such as Europe/Zurich, here or as timezone: of the job",
      ],
      "a server named as our own tools": [
        "job.yaml:5: tools.nightshift is the name of Nightshift’s own tools; give the route in Pomerium another name, and use that",
      ],
      "a server that is no name": [
        "job.yaml:5: tools.a b is not a name; use up to 63 letters, digits, dots, dashes and underscores",
      ],
      "a server without tools": [
        "job.yaml:5: tools.labor.allow is empty; name the tools that the job may call, as in [query], or take the server out",
      ],
      "an empty prompt": [
        "job.yaml:3: prompt is empty; write what the model is to do",
      ],
      "broken YAML": [
        "job.yaml:6: is not valid YAML: a { is opened and not closed; close it with } behind its last entry",
      ],
      "duplicate keys": [
        "job.yaml:5: allow is there twice in the same mapping; keep one of them",
        "job.yaml:6: prompt is there twice in the same mapping; keep one of them",
      ],
      "missing fields": [
        "job.yaml:1: account is missing; it must be a name under accounts: in the configuration",
        "job.yaml:1: model is missing; it must be a mapping, such as { provider: openai, name: gpt-5.4-mini }",
        "job.yaml:1: prompt is missing; it must be a text",
        "job.yaml:1: tools is missing; it must be a mapping of servers, such as { labor: { allow: [query] } }",
      ],
      "missing fields further in": [
        "job.yaml:2: model.provider is missing; it must be a name under providers: in the configuration",
        "job.yaml:2: model.name is missing; it must be a text",
        "job.yaml:6: schedule.cron is missing; it must be a text",
        "job.yaml:5: tools.labor.allow is missing; it must be a list",
        "job.yaml:8: output.schema is missing; it must be a mapping",
      ],
      "names that are none": [
        "job.yaml:1: account is not a name; use up to 63 letters, digits, dots, dashes and underscores",
        "job.yaml:2: model.provider is not a name; use up to 63 letters, digits, dots, dashes and underscores",
      ],
      "no tools": [
        "job.yaml:4: tools is empty; name at least one server",
      ],
      "numbers out of range": [
        "job.yaml:7: limits.turns must be at least 1",
        "job.yaml:8: limits.toolCalls must be at least 0",
        "job.yaml:9: limits.tokens must be a whole number",
        "job.yaml:10: limits.costUsd must be more than 0",
        "job.yaml:12: limits.deadline is not a duration; write a number and ms, s, m, h or d, such as 30s or 10m",
        "job.yaml:11: limits.resultBytes must be at least 256",
        "job.yaml:14: retry.attempts must be at most 100",
        "job.yaml:15: retry.backoff is too long; the most is 24d",
      ],
      "numbers that are none": [
        "job.yaml:7: has a number that is not finite",
        "job.yaml:8: has a number that is not finite",
      ],
      "two documents": [
        "job.yaml:6: has more than one document; keep one, without lines of ---",
      ],
      "unknown keys": [
        "job.yaml:6: shedule is not a known key; did you mean schedule?",
        "job.yaml:8: limts is not a known key; did you mean limits?",
      ],
      "unknown keys further in": [
        "job.yaml:5: tools.labor.repetable is not a known key; did you mean repeatable?",
        "job.yaml:8: limits.turnz is not a known key; did you mean turns?",
        "job.yaml:9: retry.atempts is not a known key; did you mean attempts?",
      ],
      "wrong types": [
        "job.yaml:1: account must be a text; put it in quotes",
        "job.yaml:8: delegate must be local or hosted",
        "job.yaml:2: model must be a mapping, such as { provider: openai, name: gpt-5.4-mini }",
        "job.yaml:3: prompt must be a text; write it without the square brackets",
        "job.yaml:4: tools must be a mapping of servers, such as { labor: { allow: [query] } }",
        "job.yaml:5: limits.turns must be a number; write digits alone, without quotes or a unit",
        "job.yaml:5: limits.deadline has no unit; write 10s for seconds, or 10m for minutes, or 10h for hours",
        "job.yaml:6: retry must be a mapping with attempts, backoff",
        "job.yaml:7: onUnknown must be stop or tell-model",
      ],
      "wrong types in lists": [
        "job.yaml:8: tools.labor.allow.1 must be a text; put it in quotes",
        "job.yaml:9: tools.labor.allow.2 is empty; write a text, or take it out",
      ],
    }
  `)
})

test('what the configuration does not offer is named with what it offers', () => {
  const texts = {
    'an unknown account': GOOD.replace('reports', 'nobody'),
    'an unknown provider': GOOD.replace('openai', 'other'),
    'a provider behind a block mapping':
      'account: reports\nprompt: Go\nmodel:\n  name: m\n  provider: other\ntools: { labor: { allow: [query] } }\n',
    'costUsd without a price': `${GOOD}limits:\n  turns: 3\n  costUsd: 1\n`,
    'all of them, in quoted keys': `"account": nobody\n"model": { "provider": other, "name": m }\n"prompt": Go\n"tools": { labor: { allow: [query] } }\n"limits": { "costUsd": 1 }\n`,
  }
  expect(faultsOf(texts)).toMatchInlineSnapshot(`
    {
      "a provider behind a block mapping": [
        "job.yaml:5: model.provider is other, which is not under providers: in the configuration; known are openai",
      ],
      "all of them, in quoted keys": [
        "job.yaml:1: account is nobody, which is not under accounts: in the configuration; known are reports, audit",
        "job.yaml:2: model.provider is other, which is not under providers: in the configuration; known are openai",
        "job.yaml:5: limits.costUsd needs a price of the model m; add it under prices: in the configuration",
      ],
      "an unknown account": [
        "job.yaml:1: account is nobody, which is not under accounts: in the configuration; known are reports, audit",
      ],
      "an unknown provider": [
        "job.yaml:2: model.provider is other, which is not under providers: in the configuration; known are openai",
      ],
      "costUsd without a price": [
        "job.yaml:8: limits.costUsd needs a price of the model m; add it under prices: in the configuration",
      ],
    }
  `)
  expect(files.faults(`${GOOD.replace('name: m', 'name: priced')}limits: { costUsd: 1 }\n`)).toEqual([])
  expect(files.faults(GOOD, 'job.yaml', { ...OFFER, accounts: [], providers: [] })).toMatchInlineSnapshot(`
    [
      "job.yaml:1: account is reports, which is not under accounts: in the configuration; there is none",
      "job.yaml:2: model.provider is openai, which is not under providers: in the configuration; there is none",
    ]
  `)
})

test('a hosted job whose provider does not name the run needs an account of each run’s own', () => {
  const offer = (perRun: boolean): Offer => ({
    ...OFFER,
    tellsRuns: (provider, account) => !(provider === 'openai' && account === 'reports') || perRun,
  })
  expect(files.faults(`${GOOD}delegate: hosted\n`, 'job.yaml', offer(false))).toEqual([
    'job.yaml:6: delegate is hosted, and providers.openai has runHeader: false: nothing would tell the requests of a run from those of somebody else. Set accounts.reports.perRun: true, take runHeader out, or write delegate: local',
  ])
  expect(files.faults(`${GOOD}delegate: hosted\n`, 'job.yaml', { ...offer(false), apiOf: () => 'anthropic' })).toEqual([
    'job.yaml:6: delegate is hosted, and api: anthropic (providers.openai) sends no header of ours to the servers: nothing would tell the requests of a run from those of somebody else. Set accounts.reports.perRun: true, or write delegate: local',
  ])
  expect(files.faults(`${GOOD}delegate: hosted\n`, 'job.yaml', offer(true))).toEqual([])
  expect(files.faults(GOOD, 'job.yaml', offer(false))).toEqual([])
})

test('a hosted job names no tool on two servers', () => {
  const two = (labor: string, crm: string) =>
    GOOD.replace('  labor: { allow: [query] }', `  labor: { allow: ${labor} }\n  crm: { allow: ${crm} }`)
  const fault =
    'job.yaml:6: tools.crm.allow names query, as labor does: a hosted provider may reach one of them alone; allow it on one of them, or write delegate: local'
  expect(files.faults(`${two('[query, list]', '[read, query]')}delegate: hosted\n`)).toEqual([fault])
  expect(files.faults(`${two('[query, list]', '[read]')}delegate: hosted\n`)).toEqual([])
  // Which tools a pattern stands for is known once a run asks the servers.
  expect(files.faults(`${two('["*"]', '[query]')}delegate: hosted\n`)).toEqual([])
  expect(files.faults(two('[query]', '[query]'))).toEqual([])
})

test('a schedule is checked field by field', () => {
  const schedule = (cron: string, timezone = 'UTC') => `${GOOD}schedule:\n  timezone: "${timezone}"\n  cron: "${cron}"\n`
  const crons = [
    '* * * *',
    '0 7 * * 1 * *',
    '',
    '61 * * * *',
    '5-3 * * * *',
    '*/0 * * * *',
    '0 0 31 2 *',
    '@daily',
    'every monday',
    '0 7 * * 1#6',
  ]
  const zones = ['Mars/Olympus', '', 'CEST', ' UTC', 'UTC; drop']
  expect(faultsOf(Object.fromEntries(crons.map((cron) => [cron, schedule(cron)])))).toMatchInlineSnapshot(`
    {
      "": [
        "job.yaml:8: schedule.cron is not a cron expression (it has 1 of five fields: minute hour day month weekday); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
      "* * * *": [
        "job.yaml:8: schedule.cron is not a cron expression (it has 4 of five fields: minute hour day month weekday); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
      "*/0 * * * *": [
        "job.yaml:8: schedule.cron is not a cron expression (*/0 is no minute, which is 0-59); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
      "0 0 31 2 *": [
        "job.yaml:8: schedule.cron is not a cron expression (it names a day that its months do not have); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
      "0 7 * * 1 * *": [
        "job.yaml:8: schedule.cron is not a cron expression (it has 7 of five fields: minute hour day month weekday); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
      "0 7 * * 1#6": [
        "job.yaml:8: schedule.cron is not a cron expression (1#6 is no day of the week, which is 0-7 or SUN-SAT); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
      "5-3 * * * *": [
        "job.yaml:8: schedule.cron is not a cron expression (5-3 is no minute, which is 0-59); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
      "61 * * * *": [
        "job.yaml:8: schedule.cron is not a cron expression (61 is no minute, which is 0-59); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
      "@daily": [
        "job.yaml:8: schedule.cron is not a cron expression (@daily is written "0 0 * * *"); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
      "every monday": [
        "job.yaml:8: schedule.cron is not a cron expression (it has 2 of five fields: minute hour day month weekday); write for example "0 7 * * 1" for Mondays at 07:00",
      ],
    }
  `)
  expect(faultsOf(Object.fromEntries(zones.map((zone) => [zone, schedule('0 7 * * 1', zone)])))).toMatchInlineSnapshot(`
    {
      "": [
        "job.yaml:7: schedule.timezone is not a time zone; use a name such as Europe/Zurich or UTC",
      ],
      " UTC": [
        "job.yaml:7: schedule.timezone is not a time zone; use a name such as Europe/Zurich or UTC",
      ],
      "CEST": [
        "job.yaml:7: schedule.timezone is not a time zone; use a name such as Europe/Zurich or UTC",
      ],
      "Mars/Olympus": [
        "job.yaml:7: schedule.timezone is not a time zone; use a name such as Europe/Zurich or UTC",
      ],
      "UTC; drop": [
        "job.yaml:7: schedule.timezone is not a time zone; use a name such as Europe/Zurich or UTC",
      ],
    }
  `)
  for (const cron of ['0 7 * * 1', '*/5 * * * *', '0 7 L * *', '0 7 * * MON-FRI']) expect(files.faults(schedule(cron)), cron).toEqual([])
  expect(files.faults(schedule('* *', 'Mars/Olympus'))).toHaveLength(2)
})

test('templates and schemas are checked before a run needs them', () => {
  const texts = {
    'an unknown variable': GOOD.replace('Go', "'{{ inputs.x }}'"),
    'unknown variables in a block': GOOD.replace('Go', '|\n  one\n  {{ oops }} {% for row in input.rows %}{{ row }}{{ rwo }}{% endfor %}'),
    'broken Liquid': `${GOOD.replace('Go', "'{% if %}'")}instructions: '{{ input.x'\n`,
    'an unknown tag and an unknown filter': `${GOOD.replace('Go', "'{% nosuch %}'")}instructions: '{{ job | nosuch }}'\n`,
    'a template that reads a file': GOOD.replace('Go', `'{% include "package.json" %}'`),
    'schemas that are none': `${GOOD}input: { type: strng }\noutput:\n  schema:\n    properties: 4\n`,
    'schemas that refer to nowhere': `${GOOD}input: { $ref: "#/nowhere" }\noutput: { schema: { $ref: "http://example.com/x.json" } }\n`,
    'a pattern that is none': `${GOOD}output:\n\n  schema: { pattern: "(" }\n`,
    'schemas of another type': `${GOOD}input: [1]\noutput: { schema: true }\n`,
  }
  expect(faultsOf(texts)).toMatchInlineSnapshot(`
    {
      "a pattern that is none": [
        "job.yaml:8: output.schema.pattern cannot be used: a ( is opened and not closed; close it with ), or write [(] for the sign itself",
      ],
      "a template that reads a file": [
        "job.yaml:3: prompt uses the unknown tag include; known are assign, for, capture, case, comment, decrement, increment, cycle, if, raw, tablerow, unless, break, continue, echo, liquid, #",
      ],
      "an unknown tag and an unknown filter": [
        "job.yaml:3: prompt uses the unknown tag nosuch; known are assign, for, capture, case, comment, decrement, increment, cycle, if, raw, tablerow, unless, break, continue, echo, liquid, #",
        "job.yaml:6: instructions uses the unknown filter nosuch; take it out",
      ],
      "an unknown variable": [
        "job.yaml:3: prompt uses the unknown variable inputs; did you mean input?",
      ],
      "broken Liquid": [
        "job.yaml:3: prompt is not a valid Liquid template: invalid value expression: ""; write a variable and filters, as in {{ fire_time | date: "%F" }}",
        "job.yaml:6: instructions has a {{ that is not closed; close it with }}",
      ],
      "schemas of another type": [
        "job.yaml:6: input must be a mapping; give each entry a name of its own, as in <name>: { … }, in the place of its dash",
        "job.yaml:7: output.schema must be a mapping",
      ],
      "schemas that are none": [
        "job.yaml:6: input.type is strng, which is no type; did you mean string?",
        "job.yaml:9: output.schema.properties must be a mapping",
      ],
      "schemas that refer to nowhere": [
        "job.yaml:6: input.$ref is #/nowhere, and nothing is there; describe it under $defs of the schema",
        "job.yaml:7: output.schema.$ref is http://example.com/x.json: other files and addresses are not read; put the schema under $defs, and write "#/$defs/<its name>"",
      ],
      "unknown variables in a block": [
        "job.yaml:5: prompt uses the unknown variable oops, rwo; a template knows input, fire_time, now, previous_fire, period, trigger, timezone, run_id, job",
      ],
    }
  `)
})

test('what would fill the memory, end the process or be lost is a fault like any other', () => {
  const bomb = Array.from(
    { length: 9 },
    (_, at) =>
      `l${at}: &l${at} [${Array(9)
        .fill(at === 0 ? 'x' : `*l${at - 1}`)
        .join(', ')}]\n`,
  ).join('')
  const texts = {
    'an alias bomb': bomb + GOOD,
    'an alias of itself': `${GOOD}input: &a { properties: *a }\n`,
    'an alias without an anchor': GOOD.replace('[query]', '*tools'),
    'nested too deeply': `${GOOD}input: ${'{ a: '.repeat(3000)}1${' }'.repeat(3000)}\n`,
    'nested deep enough to parse': `${GOOD}input: ${'{ not: '.repeat(100)}{}${' }'.repeat(100)}\n`,
    'a number that JSON does not have': `${GOOD}input: { default: .nan }\n`,
    'half a character': GOOD.replace('Go', '"\\uD800"'),
    'a key that JavaScript knows': GOOD.replace('{ allow: [query] }\n', '{ allow: [query] }\n  __proto__: { allow: [x] }\n'),
    'a tag of another language': GOOD.replace('Go', '!!js/function "return process"'),
    'keys that are no texts': `${GOOD}1: x\n? [a, b]\n: y\n`,
    'a merge key': `${GOOD}<<: { description: x }\n`,
    'a key that a terminal acts on': `${GOOD}"\\e[31mred": 1\n`,
  }
  expect(faultsOf(texts)).toMatchInlineSnapshot(`
    {
      "a key that JavaScript knows": [
        "job.yaml:6: __proto__ is not a name that can be used",
      ],
      "a key that a terminal acts on": [
        "job.yaml:6: \\u001b[31mred is not a known key; known are description, account, delegate, model, timezone, schedule, input, contract, instructions, prompt, tools, output, limits, retry, staleAfter, onUnknown, pin, concurrency, deliver, context",
      ],
      "a merge key": [
        "job.yaml:6: << is not a known key; known are description, account, delegate, model, timezone, schedule, input, contract, instructions, prompt, tools, output, limits, retry, staleAfter, onUnknown, pin, concurrency, deliver, context",
      ],
      "a number that JSON does not have": [
        "job.yaml:6: has a number that is not finite",
      ],
      "a tag of another language": [
        "job.yaml:3: has a tag (!) that is not known; take it out, or put the text in quotes",
      ],
      "an alias bomb": [
        "job.yaml:1: repeats itself too often through aliases (*name); write the values out",
      ],
      "an alias of itself": [
        "job.yaml:6: has an alias (*name) inside of what it stands for",
      ],
      "an alias without an anchor": [
        "job.yaml:5: uses an alias (*name) whose anchor (&name) is not above it; in a text, put it in quotes",
      ],
      "half a character": [
        "job.yaml:3: has half a character (a lone surrogate); take it out",
      ],
      "keys that are no texts": [
        "job.yaml:6: has a key that is not a text; put it in quotes",
        "job.yaml:7: has a key that is not a text; put it in quotes",
      ],
      "nested deep enough to parse": [
        "job.yaml:6: is nested too deeply",
      ],
      "nested too deeply": [
        "job.yaml:6: is nested too deeply",
      ],
    }
  `)
})

test('aliases that are only short hands are read', () => {
  expect(files.faults(GOOD.replace('[query]', '&t [query]').replace(/\n$/, '\n  other: { allow: *t }\n'))).toEqual([])
})

test('a schedule of a job that needs an input is refused, and one of a job whose input may be left out is not', () => {
  const withInput = (input: string) => files.faults(`${GOOD}input: ${input}\nschedule:\n  timezone: UTC\n  cron: "0 7 * * *"\n`)
  expect(withInput('{ type: object, required: [region] }')).toEqual([
    expect.stringMatching(
      /^job\.yaml:7: schedule runs the job without an input, but .*region.*; give one, as in schedule: \{ …, input: \{ region: … \} \}, let it be left out, or take schedule out$/,
    ),
  ])
  expect(withInput('{ type: object, properties: { region: { type: string } } }')).toEqual([])
})
