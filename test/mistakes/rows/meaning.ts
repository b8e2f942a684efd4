import type { Mistake } from '../row.ts'

/** What the format allows and a run would fail of. */
export const MEANING: readonly Mistake[] = [
  {
    name: 'a cron of four fields',
    file: 'jobs/report.yaml',
    good: '"0 7 * * 1"',
    typed: '"7 * * 1"',
    says: [
      'jobs/report.yaml:4: schedule.cron is not a cron expression (it has 4 of five fields: minute hour day month weekday); write for example "0 7 * * 1" for Mondays at 07:00',
    ],
  },
  {
    name: 'a cron of six fields',
    file: 'jobs/report.yaml',
    good: '"0 7 * * 1"',
    typed: '"0 0 7 * * 1"',
    says: ['jobs/report.yaml:4: schedule.cron has six fields; a job is due once a minute at most, so write five: "0 7 * * 1"'],
  },
  {
    name: 'a random time',
    file: 'jobs/report.yaml',
    good: '"0 7 * * 1"',
    typed: '"H 7 * * 1"',
    says: [
      'jobs/report.yaml:4: schedule.cron has a part that not every cron knows (H is no minute, which is 0-59); write numbers, names such as MON, *, lists (1,15), ranges (1-5), steps of them (*/15, 5-59/20), L and 1#2',
    ],
  },
  {
    name: 'an hour that is none',
    file: 'jobs/report.yaml',
    good: '"0 7 * * 1"',
    typed: '"0 25 * * 1"',
    says: [
      'jobs/report.yaml:4: schedule.cron is not a cron expression (25 is no hour, which is 0-23); write for example "0 7 * * 1" for Mondays at 07:00',
    ],
  },
  {
    name: 'a zone without its continent',
    file: 'jobs/report.yaml',
    good: 'Europe/Zurich',
    typed: 'Zurich',
    says: ['jobs/report.yaml:4: schedule.timezone is not a time zone; did you mean Europe/Zurich?'],
  },
  {
    name: 'no time zone',
    file: 'jobs/report.yaml',
    good: ', timezone: Europe/Zurich',
    typed: '',
    says: ['jobs/report.yaml:4: schedule.timezone is missing; name a time zone such as Europe/Zurich, here or as timezone: of the job'],
  },
  {
    name: 'an account that is not there',
    file: 'jobs/report.yaml',
    good: 'account: reports',
    typed: 'account: report',
    says: ['jobs/report.yaml:2: account is report, which is not under accounts: in the configuration; did you mean reports?'],
  },
  {
    name: 'a provider that is not there',
    file: 'jobs/report.yaml',
    good: 'provider: openai',
    typed: 'provider: opnai',
    says: ['jobs/report.yaml:3: model.provider is opnai, which is not under providers: in the configuration; did you mean openai?'],
  },
  {
    name: 'a webhook that is not there',
    file: 'jobs/report.yaml',
    good: 'webhook: team',
    typed: 'webhook: teem',
    says: ['jobs/report.yaml:17: deliver.0 names the webhook teem, which is not under webhooks: in the configuration; did you mean team?'],
  },
  {
    name: 'a repeatable tool that is not allowed',
    file: 'jobs/report.yaml',
    good: 'repeatable: [query]',
    typed: 'repeatable: [qury]',
    says: ['jobs/report.yaml:8: tools.labor.repeatable names qury, which is not under allow; did you mean query?'],
  },
  {
    name: 'a model without a price',
    file: 'jobs/report.yaml',
    good: 'name: gpt-5.4-mini',
    typed: 'name: gpt-5.4-mni',
    says: [
      'jobs/report.yaml:15: limits.costUsd needs a price of the model gpt-5.4-mni; did you mean gpt-5.4-mini? Or add it under prices: in the configuration',
      'jobs/report.yaml:3: model.name is gpt-5.4-mni, which has no price, but budgets: sets a costUsd for the job or its account; did you mean gpt-5.4-mini? Or add it under prices: in the configuration',
    ],
  },
  {
    name: 'a hosted job of a provider that cannot',
    file: 'jobs/report.yaml',
    good: 'model: { provider: openai, name: gpt-5.4-mini }',
    typed: 'delegate: hosted\nmodel: { provider: local, name: gpt-5.4-mini }',
    mended: 'delegate: local\nmodel: { provider: local, name: gpt-5.4-mini }',
    says: [
      'jobs/report.yaml:3: delegate is hosted, which needs a provider with api: responses or anthropic; local has api: chat. Change the provider, or write delegate: local',
    ],
  },
  {
    name: 'a file that is not there',
    file: 'jobs/report.yaml',
    good: 'tools:',
    typed: 'context:\n  - file: glossary.md\ntools:',
    says: [
      'jobs/report.yaml:8: context.0.file is glossary.md, which is not there; correct the name, or put it beside the job file, or below its folder',
    ],
  },
  {
    name: 'pins that were never written',
    file: 'jobs/report.yaml',
    good: 'tools:',
    typed: 'pin: true\ntools:',
    says: [
      'jobs/report.yaml:7: pin is true, which needs the lock file jobs/report.lock.yaml: there is none; write it with nightshift jobs pin report, or take pin out',
    ],
  },
  {
    name: 'an input that a schedule does not have',
    file: 'jobs/report.yaml',
    good: 'tools:',
    typed: 'input: { type: object, required: [region], properties: { region: { type: string } } }\ntools:',
    mended: 'input: { type: object, required: [region], properties: { region: { type: string } } }\ntools:',
    elsewhere: { good: 'Europe/Zurich }', mended: 'Europe/Zurich, input: { region: north } }' },
    says: [
      "jobs/report.yaml:4: schedule runs the job without an input, but the input must have required property 'region'; give one, as in schedule: { …, input: { region: … } }, let it be left out, or take schedule out",
    ],
  },
  {
    name: 'a secret in the prompt',
    file: 'jobs/report.yaml',
    good: '{{ fire_time | date: "%F" }}',
    typed: 'sk-proj-a1a1a1a1a1a1a1a1a1a1a1a1a1',
    says: [
      'warning: jobs/report.yaml:6: has what looks like a key of a model provider; whoever reads the file has it, and so has the model: take it out, and change it',
    ],
  },
]
