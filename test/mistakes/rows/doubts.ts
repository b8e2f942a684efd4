import type { Mistake } from '../row.ts'

const SCHEMA = 'summary: { type: string }'
const ALLOW = '{ allow: [describe_tables, query], repeatable: [query] }'

/** A slip in a job file, from what stands there and what is said of it. */
const slip = (name: string, good: string, typed: string, ...says: string[]): Mistake => ({
  name,
  file: 'jobs/report.yaml',
  good,
  typed,
  says: says.map((line) => `jobs/report.yaml:${line}`),
})

/** What a job can be read with, and hardly means; and schemas that nothing fits. */
export const DOUBTS: readonly Mistake[] = [
  slip(
    'a server before the tool',
    ALLOW,
    '{ allow: [labor__query] }',
    '8: tools.labor.allow names labor__query, with the name of the server before it; servers mostly name their tools without: did you mean query?',
  ),
  slip(
    'a regular expression for tools',
    ALLOW,
    '{ allow: ["list_.*"] }',
    '8: tools.labor.allow has list_.*, which is read as a name: only * stands for any text; did you mean list_*?',
  ),
  slip('a tool twice', ALLOW, '{ allow: [query, query] }', '8: tools.labor.allow names query twice; take one of them out'),
  slip(
    'more calls than there may be',
    ALLOW,
    '{ allow: [query], minCalls: 200 }',
    '15: limits.toolCalls is 50, fewer than the 200 that minCalls: asks for, so that no run could be green; make it larger',
  ),
  slip(
    'a call that outlasts the run',
    ALLOW,
    '{ allow: [query], timeout: 20m }',
    '8: tools.labor.timeout is 20m, longer than an attempt may take (limits.deadline: 10m); make it shorter, or the deadline longer',
  ),
  slip(
    'tokens of one answer',
    'turns: 12',
    'tokens: 10',
    '15: limits.tokens is 10, which the first request alone takes; it is of a whole run, so write for example 200000',
  ),
  slip(
    'less kept than shown',
    'turns: 12',
    'keptBytes: 1000',
    '15: limits.keptBytes is 1000 bytes, less than limits.resultBytes (256 KB): the model is shown no more than is kept; make it larger, or resultBytes smaller',
  ),
  slip(
    'an offset for a zone',
    'timezone: Europe/Zurich',
    'timezone: "+02:00"',
    '4: schedule.timezone is +02:00, an offset and no place: it knows no summer time; write a name such as Europe/Zurich',
  ),
  slip(
    'a zone without summer time',
    'timezone: Europe/Zurich',
    'timezone: EST',
    '4: schedule.timezone is EST, an offset and no place: it knows no summer time; write a name such as America/New_York',
  ),
  slip(
    'a day and a weekday',
    '0 7 * * 1',
    '0 7 1 * 1',
    '4: schedule.cron names days of the month (1) and of the week (1): it is due on each of both, not only where they meet; write * for one of them',
  ),
  slip(
    'a least above the most',
    SCHEMA,
    'summary: { type: integer, minimum: 10, maximum: 1 }',
    '14: output.schema.properties.summary.minimum is 10, and maximum is 1: nothing fits both; correct one of them',
  ),
  slip(
    'numbers in quotes',
    SCHEMA,
    'summary: { type: integer, enum: ["1", "2"] }',
    '14: output.schema.properties.summary.enum has no value of the type integer: nothing fits; correct the type, or write the values without quotes',
  ),
  slip(
    'a least of a text',
    SCHEMA,
    'summary: { type: string, minimum: 10 }',
    '14: output.schema.properties.summary.minimum says nothing of the type string; did you mean minLength?',
  ),
  slip(
    'items of a mapping',
    SCHEMA,
    'summary: { type: object, items: { type: string } }',
    '14: output.schema.properties.summary.items says nothing of the type object; did you mean properties?',
  ),
  slip(
    'a keyword of OpenAPI',
    SCHEMA,
    'summary: { type: string, nullable: true }',
    "14: output.schema.properties.summary.nullable is of OpenAPI, and no keyword of JSON Schema; write type: [string, 'null']",
  ),
  slip(
    'properties of anything',
    '    type: object\n    required: [summary]\n',
    '',
    '11: output.schema.properties stands without type: object, so that a text or a list fits as well; add it',
  ),
  slip(
    'a password in the prompt',
    '{{ fire_time | date: "%F" }}',
    'today; the password is hunter2',
    '6: has what looks like a password; whoever reads the file has it, and so has the model: take it out, and change it',
  ),
]

/** Faults whose cure is another one than that of their kind. */
export const CURES: readonly Mistake[] = [
  slip(
    'a field of the input without properties',
    'tools:',
    'input: { below: integer }\ntools:',
    '7: input.below is no keyword of JSON Schema; a field stands under properties:, as { type: object, properties: { below: { type: integer } } }',
  ),
  slip('a list for a text', 'account: reports', 'account: [reports]', '2: account must be a text; write it without the list'),
  slip(
    'a space in a list of a cron',
    '0 7 * * 1',
    '0 7 * * 1, 3',
    '4: schedule.cron is not a cron expression (it has a space at a comma: "0 7 * * 1,3"); write for example "0 7 * * 1" for Mondays at 07:00',
  ),
  slip(
    'a zone in a cron',
    '0 7 * * 1',
    '0 7 * * 1 Europe/Zurich',
    '4: schedule.cron is not a cron expression (the time zone stands beside it, as timezone: Europe/Zurich); write for example "0 7 * * 1" for Mondays at 07:00',
  ),
  slip(
    'quotes of print',
    '"0 7 * * 1"',
    '“0 7 * * 1”',
    '4: schedule.cron is not a cron expression (it has quotes of print; write plain ones, "); write for example "0 7 * * 1" for Mondays at 07:00',
  ),
  slip(
    'one sign of equality',
    '{{ fire_time | date: "%F" }}',
    '{% if trigger = "manual" %}x{% endif %}',
    '6: prompt has a value that goes on without a |; compare with == and not =, and write a filter behind a |, as in {{ fire_time | date: "%F" }}',
  ),
  slip(
    'else if of another language',
    '{{ fire_time | date: "%F" }}',
    '{% if now %}x{% elseif job %}y{% endif %}',
    '6: prompt uses the unknown tag elseif; write elsif',
  ),
  slip(
    'an empty choice',
    SCHEMA,
    'summary: { type: string, enum: [] }',
    '14: output.schema.properties.summary.enum is empty, so that nothing fits; name the values, or take it out',
  ),
  slip(
    'a schema in another file',
    SCHEMA,
    'summary: { $ref: ./schema.json }',
    '14: output.schema.properties.summary.$ref is ./schema.json: other files and addresses are not read; put the schema under $defs, and write "#/$defs/<its name>"',
  ),
  slip(
    'a variable in a job',
    'account: reports',
    'account: ${ACCOUNT}',
    '2: account is not a name; variables are read in the configuration alone: write the name itself',
  ),
  slip(
    'a comment of another language',
    'account: reports',
    'account: reports // main',
    '2: account is not a name; a comment begins with # and a space before it',
  ),
  slip('most tokens', 'turns: 12', 'maxTokens: 5', '15: limits.maxTokens is not a known key; did you mean tokens?'),
]
