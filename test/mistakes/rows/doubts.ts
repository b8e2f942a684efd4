import { doubt, slip, type Mistake } from '../row.ts'

const PROMPT = 'prompt: |\n  Report unemployment by industry as of {{ fire_time | date: "%F" }}.'
const SCHEMA = 'summary: { type: string }'
const ALLOW = '{ allow: [describe_tables, query], repeatable: [query] }'

/** What a job can be read with, and hardly means; and schemas that nothing fits. */
export const DOUBTS: readonly Mistake[] = [
  doubt(
    'a server before the tool',
    ALLOW,
    '{ allow: [labor__query] }',
    '8: tools.labor.allow names labor__query, with the name of the server before it; servers mostly name their tools without: did you mean query?',
    { mended: '{ allow: [query] }' },
  ),
  doubt(
    'a regular expression for tools',
    ALLOW,
    '{ allow: ["list_.*"] }',
    '8: tools.labor.allow has list_.*, which is read as a name: only * stands for any text; did you mean list_*?',
    { mended: '{ allow: [list_*] }' },
  ),
  doubt('a tool twice', ALLOW, '{ allow: [query, query] }', '8: tools.labor.allow names query twice; take one of them out', {
    mended: '{ allow: [query] }',
  }),
  slip(
    'more calls than there may be',
    ALLOW,
    '{ allow: [query], minCalls: 200 }',
    '15: limits.toolCalls is 50, fewer than the 200 that minCalls: asks for, so that no run could be green; make it larger',
    { mended: '{ allow: [query], minCalls: 200 }', elsewhere: { good: 'turns: 12', mended: 'turns: 12, toolCalls: 200' } },
  ),
  doubt(
    'a call that outlasts the run',
    ALLOW,
    '{ allow: [query], timeout: 20m }',
    '8: tools.labor.timeout is 20m, longer than an attempt may take (limits.deadline: 10m); make it shorter, or the deadline longer',
    { mended: '{ allow: [query], timeout: 5m }' },
  ),
  doubt(
    'tokens of one answer',
    'turns: 12',
    'tokens: 10',
    '15: limits.tokens is 10, which the first request alone takes; it is of a whole run, so write for example 200000',
    { mended: 'tokens: 200000' },
  ),
  doubt(
    'less kept than shown',
    'turns: 12',
    'keptBytes: 1000',
    '15: limits.keptBytes is 1000 bytes, less than limits.resultBytes (256 KB): the model is shown no more than is kept; make it larger, or resultBytes smaller',
    { mended: 'keptBytes: 300000' },
  ),
  doubt(
    'an offset for a zone',
    'timezone: Europe/Zurich',
    'timezone: "+02:00"',
    '4: schedule.timezone is +02:00, an offset and no place: it knows no summer time; write a name such as Europe/Zurich',
  ),
  doubt(
    'a zone without summer time',
    'timezone: Europe/Zurich',
    'timezone: EST',
    '4: schedule.timezone is EST, an offset and no place: it knows no summer time; write a name such as America/New_York',
    { mended: 'timezone: America/New_York' },
  ),
  doubt(
    'a day and a weekday',
    '0 7 * * 1',
    '0 7 1 * 1',
    '4: schedule.cron names days of the month (1) and of the week (1): it is due on each of both, not only where they meet; write * for one of them',
    { mended: '0 7 1 * *' },
  ),
  slip(
    'a least above the most',
    SCHEMA,
    'summary: { type: integer, minimum: 10, maximum: 1 }',
    '14: output.schema.properties.summary.minimum is 10, and maximum is 1: nothing fits both; correct one of them',
    { mended: 'summary: { type: integer, minimum: 1, maximum: 10 }' },
  ),
  slip(
    'numbers in quotes',
    SCHEMA,
    'summary: { type: integer, enum: ["1", "2"] }',
    '14: output.schema.properties.summary.enum has no value of the type integer: nothing fits; correct the type, or write the values without quotes',
    { mended: 'summary: { type: integer, enum: [1, 2] }' },
  ),
  doubt(
    'a least of a text',
    SCHEMA,
    'summary: { type: string, minimum: 10 }',
    '14: output.schema.properties.summary.minimum says nothing of the type string; did you mean minLength?',
    { mended: 'summary: { type: string, minLength: 10 }' },
  ),
  doubt(
    'items of a mapping',
    SCHEMA,
    'summary: { type: object, items: { type: string } }',
    '14: output.schema.properties.summary.items says nothing of the type object; write properties: { <name>: { … } }, or type: array for a list',
    { mended: 'summary: { type: object, properties: { total: { type: integer } } }' },
  ),
  doubt(
    'a keyword of OpenAPI',
    SCHEMA,
    'summary: { type: string, nullable: true }',
    "14: output.schema.properties.summary.nullable is of OpenAPI, and no keyword of JSON Schema; write type: [string, 'null']",
    { mended: "summary: { type: [string, 'null'] }" },
  ),
  doubt(
    'properties of anything',
    '    type: object\n    required: [summary]\n',
    '',
    '11: output.schema.properties stands without type: object, so that a text or a list fits as well; add it',
  ),
  doubt(
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
    { mended: 'input: { type: object, properties: { below: { type: integer } } }\ntools:' },
  ),
  slip('a list for a text', 'account: reports', 'account: [reports]', '2: account must be a text; write it without the square brackets'),
  slip(
    'a space in a list of a cron',
    '0 7 * * 1',
    '0 7 * * 1, 3',
    '4: schedule.cron is not a cron expression (it has a space at a comma: "0 7 * * 1,3"); write for example "0 7 * * 1" for Mondays at 07:00',
    { mended: '0 7 * * 1,3' },
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
    { mended: '{% if trigger == "manual" %}x{% endif %}' },
  ),
  slip(
    'else if of another language',
    '{{ fire_time | date: "%F" }}',
    '{% if now %}x{% elseif job %}y{% endif %}',
    '6: prompt uses the unknown tag elseif; write elsif',
    { mended: '{% if now %}x{% elsif job %}y{% endif %}' },
  ),
  slip(
    'an empty choice',
    SCHEMA,
    'summary: { type: string, enum: [] }',
    '14: output.schema.properties.summary.enum is empty, so that nothing fits; name the values, or take it out',
    { mended: 'summary: { type: string, enum: [up, down] }' },
  ),
  slip(
    'a schema in another file',
    SCHEMA,
    'summary: { $ref: ./schema.json }',
    '14: output.schema.properties.summary.$ref is ./schema.json: other files and addresses are not read; put the schema under $defs, and write "#/$defs/<its name>"',
    { mended: 'summary: { $ref: "#/$defs/text" }\n    $defs:\n      text: { type: string }' },
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
    { mended: 'account: reports # main' },
  ),
  slip('most tokens', 'turns: 12', 'maxTokens: 5', '15: limits.maxTokens is not a known key; did you mean tokens?', {
    mended: 'tokens: 200000',
  }),
  slip(
    'a number for a zone',
    'timezone: Europe/Zurich',
    'timezone: 2',
    '4: schedule.timezone is not a time zone; use a name such as Europe/Zurich or UTC',
  ),
  slip(
    'a pattern with a bracket that stays open',
    SCHEMA,
    'summary: { type: string, pattern: "^[a-z" }',
    '14: output.schema.properties.summary.pattern cannot be used: a [ is opened and not closed; close it with ], or write [[] for the sign itself',
    { mended: 'summary: { type: string, pattern: "^[a-z]" }' },
  ),
  slip(
    'a pattern of a shell',
    SCHEMA,
    'summary: { type: string, pattern: "*.csv" }',
    '14: output.schema.properties.summary.pattern cannot be used: it is a pattern of file names, and a regular expression is wanted; write [.]csv$ for a text that ends in .csv',
    { mended: 'summary: { type: string, pattern: "[.]csv$" }' },
  ),
  slip('a model that is called model', 'name: gpt', 'model: gpt', '3: model.model is not a known key; did you mean name?'),
  slip(
    'a job that is switched off',
    'account: reports',
    'account: reports\nenabled: false',
    '3: enabled is not a known key; if the job is not to run, first pause it: nightshift pause report --reason "…" (nightshift resume report lets it go on); then take the line out',
  ),
  slip(
    'the name of the job',
    'account: reports',
    'account: reports\nname: report',
    '3: name is not a known key; the name of the file is that of the job: take the line out',
  ),
  slip(
    'reports at the root of the machine',
    '{ webhook: team, when: changed }',
    '{ file: /var/reports }',
    '17: deliver.0.file is a path from the root, and reports stand below reportsDir; write a path below it, such as weekly. To have all reports there, set reportsDir in the configuration',
    { mended: '{ file: weekly }' },
  ),
  slip(
    'no tools',
    'allow: [describe_tables, query], repeatable: [query]',
    'allow: []',
    '8: tools.labor.allow is empty; name the tools that the job may call, as in [query], or take the server out',
    { mended: 'allow: [query]' },
  ),
  slip(
    'a prompt in several parts',
    PROMPT,
    'prompt: [Report, unemployment]',
    '5: prompt must be a text; write one text without the square brackets',
    { mended: 'prompt: Report unemployment' },
  ),
  slip(
    'an address for a webhook',
    'webhook: team',
    'webhook: https://hooks.example.com/nightshift',
    '17: deliver.0.webhook is an address; write the name that it has under webhooks: in the configuration',
  ),
  slip('thousands', 'turns: 12', 'tokens: 200k', '15: limits.tokens must be a number; write all of its digits, such as 200000 for 200k', {
    mended: 'tokens: 200000',
  }),
  slip('an empty prompt', PROMPT, 'prompt: ""', '5: prompt is empty; write what the model is to do', {
    mended: 'prompt: Report unemployment',
  }),
  slip(
    'a sign that is not seen',
    'account: reports',
    'account: rep\u200borts',
    '2: account is not a name; it has a sign that is not seen, such as one of no width: write it anew',
  ),
]
