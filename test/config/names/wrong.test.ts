import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { JOB_NAMES } from '../../../scripts/job-names.ts'
import { loadConfiguredJobs } from '../../../src/app/open/jobs.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { NAMES } from '../../../src/config/names/table.ts'
import { describeError } from '../../../src/core/failure.ts'

const CONFIG = `gateway: { url: https://mcp.example.com }
accounts: { reports: { token: TOKEN-OF-REPORTS } }
providers: { openai: { apiKey: KEY-OF-OPENAI } }
webhooks: { team: { url: https://hooks.example.com, secret: whsec_${'A'.repeat(32)} } }
`
const JOB = `account: reports
model: { provider: openai, name: some-model-1 }
prompt: Go
tools:
  labor: { allow: [query, list] }
`

/** What is said of the files of a deployment when they are read, as `start` and `jobs check` read them; a reload says the same. */
function said(config: string, job: string): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-names-'))
  try {
    mkdirSync(join(dir, 'jobs'))
    writeFileSync(join(dir, 'c.yaml'), `${config}jobsDir: jobs\n`, { mode: 0o600 })
    writeFileSync(join(dir, 'jobs/report.yaml'), job)
    const { issues, warnings } = loadConfiguredJobs(loadConfig({ file: join(dir, 'c.yaml'), env: {} }))
    return [...issues, ...warnings].map((line) => line.replaceAll(`${dir}/`, ''))
  } catch (error) {
    return describeError(error)
      .replaceAll(`${dir}/`, '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line.startsWith('c.yaml:'))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const API = `api:
  tokens:
    ci: { sha256: ${'a'.repeat(64)}, role: viewer`
const PRICE = '{ input: 1, cachedInput: 1, output: 1 }'

/** What is written after the good configuration, and what is said of it. */
const WRONG: Record<string, [text: string, said: string]> = {
  'servers.<name>': ['servers:\n  lbaor: { concurrency: 2 }', '6: servers.lbaor is a server that no job uses; did you mean labor?'],
  'prices.<name>': [`prices:\n  some-modle-1: ${PRICE}`, '6: prices.some-modle-1 is a model that no job uses; did you mean some-model-1?'],
  'models.<name>': [
    'models:\n  opnai/some-model-1: { windowTokens: 9999 }',
    '6: models.opnai/some-model-1 is a model that no job uses; did you mean openai/some-model-1?',
  ],
  'budgets.accounts.<name>': [
    'budgets:\n  accounts:\n    report: { tokens: 5 }',
    '7: budgets.accounts.report is not under accounts:; did you mean reports?',
  ],
  'budgets.jobs.<name>': [
    'budgets:\n  jobs:\n    reprot: { tokens: 5 }',
    '7: budgets.jobs.reprot names reprot, which is no job; did you mean report?',
  ],
  'audit.expected[].account': [
    'audit:\n  expected:\n    - { account: reports, tool: a }\n    - { account: reprots, tool: b }',
    '8: audit.expected.1.account is reprots, which is not under accounts:; did you mean reports?',
  ],
  'alerts.webhook': ['alerts: { webhook: taem }', '5: alerts.webhook is taem, which is not under webhooks:; did you mean team?'],
  'api.tokens.<name>.jobs[]': [
    `${API}, jobs: [report, reprot] }`,
    '7: api.tokens.ci.jobs.1 names reprot, which is no job; did you mean report?',
  ],
  'api.pomerium.users.<name>.jobs[]': [
    'api:\n  pomerium:\n    audience: a.example.com\n    users:\n      ann: { role: viewer, jobs: [reprot] }',
    '9: api.pomerium.users.ann.jobs.0 names reprot, which is no job; did you mean report?',
  ],
  'api.pomerium.groups.<name>.jobs[]': [
    'api:\n  pomerium:\n    audience: a.example.com\n    groups:\n      ops: { role: viewer, jobs: [reprot] }',
    '9: api.pomerium.groups.ops.jobs.0 names reprot, which is no job; did you mean report?',
  ],
}

test('each name of the configuration that can be held against something is among the wrong ones', () => {
  const held = Object.entries(NAMES).filter(([, { against }]) => against !== 'given here' && against !== 'outside')
  expect(Object.keys(WRONG).toSorted()).toEqual(held.map(([key]) => key).toSorted())
  expect(said(CONFIG, JOB)).toEqual([])
})

test.each(Object.entries(WRONG))('a wrong name at %s is told with its line and the name that was meant', (_key, [text, line]) => {
  expect(said(`${CONFIG}${text}\n`, JOB)).toEqual([`c.yaml:${line}`])
})

/** What is changed in the good job file, and what is said of it. */
const WRONG_IN_JOB: Record<string, [good: string, typed: string, said: string]> = {
  account: [
    'account: reports',
    'account: reprots',
    '1: account is reprots, which is not under accounts: in the configuration; did you mean reports?',
  ],
  'model.provider': [
    'provider: openai',
    'provider: opnai',
    '2: model.provider is opnai, which is not under providers: in the configuration; did you mean openai?',
  ],
  'model.fallback[].provider': [
    'some-model-1 }',
    'some-model-1, fallback: [{ provider: opnai, name: b }] }',
    '2: model.fallback.0.provider is opnai, which is not under providers: in the configuration; did you mean openai?',
  ],
  timezone: ['prompt: Go', 'prompt: Go\ntimezone: Europe/Zurihc', '4: timezone is not a time zone; did you mean Europe/Zurich?'],
  'schedule.timezone': [
    'prompt: Go',
    'prompt: Go\nschedule: { cron: "0 7 * * 1", timezone: Europe/Zurihc }',
    '4: schedule.timezone is not a time zone; did you mean Europe/Zurich?',
  ],
  'schedule.input.<name>': [
    'prompt: Go',
    'prompt: Go\ninput: { type: object, properties: { week: { type: integer } }, additionalProperties: false }\nschedule: { cron: "0 7 * * 1", timezone: UTC, input: { wek: 3 } }',
    '5: schedule.input',
  ],
  'tools.<name>.repeatable[]': [
    'list] }',
    'list], repeatable: [qurey] }',
    '5: tools.labor.repeatable names qurey, which is not under allow; did you mean query?',
  ],
  'output.grounded[]': [
    'prompt: Go',
    'prompt: Go\noutput:\n  schema: { type: object, properties: { rate: { type: number } } }\n  grounded: [raet]',
    '6: output.grounded.0 raet',
  ],
  'deliver[].webhook': [
    'prompt: Go',
    'prompt: Go\ndeliver:\n  - { webhook: taem }',
    '5: deliver.0 names the webhook taem, which is not under webhooks: in the configuration; did you mean team?',
  ],
  'context[].file': ['prompt: Go', 'prompt: Go\ncontext:\n  - { file: notes.md }', '5: context.0'],
  'context[].server': [
    'prompt: Go',
    'prompt: Go\ncontext:\n  - { resource: "a:b", server: lbaor }',
    '5: context.0.server is lbaor, which is not under tools:; did you mean labor?',
  ],
}

test('each name of a job file that is held against something when it is read is among the wrong ones', () => {
  const read = ['the configuration', 'the file', 'time zones']
  const held = Object.entries(JOB_NAMES).filter(([, { against }]) => read.includes(against))
  expect(Object.keys(WRONG_IN_JOB).toSorted()).toEqual(held.map(([key]) => key).toSorted())
})

test.each(Object.entries(WRONG_IN_JOB))('a wrong name at %s of a job file is told with its line', (_key, [good, typed, line]) => {
  expect(said(CONFIG, JOB.replace(good, typed))).toEqual([expect.stringContaining(`jobs/report.yaml:${line}`)])
})

test('a model is no slip for another size or version, for one that is named beside it, or that it is for another provider', () => {
  for (const name of ['some-model-2', 'some-modal-l-1', 'openai/some-model-1'])
    expect(said(`${CONFIG}prices: { ${name}: ${PRICE} }\n`, JOB)).toEqual([])
  expect(said(`${CONFIG}prices: { some-model-1: ${PRICE}, some-modle-1: ${PRICE} }\n`, JOB)).toEqual([])
})
