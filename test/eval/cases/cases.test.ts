import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseArm } from '../../../src/eval/arms.ts'
import { jobOf, loadCases } from '../../../src/eval/cases/cases.ts'
import { loadJobs } from '../../../src/jobs/directory.ts'
import { createJobFiles, GOOD, OFFER } from '../../support/app/job-files.ts'

const files = createJobFiles()

function load(cases: string, job = GOOD) {
  const dir = files.freshDir()
  writeFileSync(join(dir, 'weekly.yaml'), job)
  writeFileSync(join(dir, 'weekly.cases.yaml'), cases)
  const { jobs, issues } = loadJobs(dir, OFFER)
  const found = jobs.get('weekly')
  if (!found) throw new Error(issues.join('\n'))
  return { dir, read: () => loadCases(found, OFFER), job: found, issues }
}

const faultsOf = (cases: string, job?: string) => {
  const { dir, read } = load(cases, job)
  try {
    read()
  } catch (error) {
    return error instanceof Error
      ? files.plain(
          dir,
          error.message.split('\n').filter((line) => line.startsWith('  ')),
        )
      : []
  }
  return []
}

test('a file of cases beside a job file is no job', () => {
  expect(load('cases: [{ name: a, expect: {} }]').issues).toEqual([])
})

test('a case has its defaults, and the job’s definition', () => {
  const [one] = load('cases: [{ name: a, expect: {} }]').read()
  expect(one).toMatchObject({
    name: 'a',
    job: 'weekly',
    at: undefined,
    now: undefined,
    input: {},
    writes: 'refused',
    expect: { ending: 'succeeded' },
    definition: { prompt: 'Go' },
  })
})

test('a fire is read by the clock of the job’s zone, and is what the run is told for now', () => {
  const [one, two] = load(
    'cases: [{ name: a, at: 2026-07-01 00:30, expect: {} }, { name: b, at: 2026-07-01 00:30, now: 2026-07-01 09:00:05, expect: {} }]',
    `${GOOD}timezone: Europe/Zurich\n`,
  ).read()
  expect([one?.at, one?.now, two?.now]).toEqual([
    new Date('2026-06-30T22:30:00Z'),
    new Date('2026-06-30T22:30:00Z'),
    new Date('2026-07-01T07:00:05Z'),
  ])
})

test('null leaves a field of the job out', () => {
  const [one] = load('cases: [{ name: a, set: { output: null }, expect: {} }]', `${GOOD}output: { schema: { type: object } }\n`).read()
  expect(one?.definition).not.toHaveProperty('output')
})

test('what a case sets takes the place of the job’s fields; delivery and limits on runs at a time are left out when it is run', () => {
  const { read, job } = load(
    'cases: [{ name: a, set: { prompt: Other, tools: { audit: { allow: [x] } } }, expect: {} }]',
    `${GOOD}concurrency: 1\ndeliver: [{ webhook: team }]\n`,
  )
  const [one] = read()
  expect(one?.definition).toMatchObject({ prompt: 'Other', tools: { audit: { allow: ['x'] } } })
  expect(Object.keys(one?.definition.tools ?? {})).toEqual(['audit'])
  const run = one && jobOf(one, job.file)
  expect(run?.definition).toMatchObject({ deliver: [], prompt: 'Other' })
  expect(run?.definition).not.toHaveProperty('concurrency')
})

test.each([
  ['cases: []', ['weekly.cases.yaml:1: cases is empty; name at least one, or take it out']],
  [
    'cases:\n  - name: a\n    expect: {}\n  - name: a\n    expect: {}',
    ['weekly.cases.yaml:4: cases.1.name is there twice; give one of them another name'],
  ],
  ['cases:\n  - name: A b\n    expect: {}', ['weekly.cases.yaml:2: cases.0.name is not a name; use lower-case letters, digits and dashes']],
  ['cases:\n  - name: a', ['weekly.cases.yaml:2: cases.0.expect is missing; it must be a mapping']],
  [
    'cases:\n  - name: a\n    at: soon\n    expect: {}',
    ['weekly.cases.yaml:3: cases.0.at "soon" is not a time; write it by the clock of UTC, such as 2026-03-01 07:00'],
  ],
  [
    'cases:\n  - name: a\n    expect: { ending: green }',
    ['weekly.cases.yaml:3: cases.0.expect.ending must be succeeded or incomplete or nothing_new or failed'],
  ],
  [
    'cases:\n  - name: a\n    expect: { reasons: [NONE] }',
    ['weekly.cases.yaml:3: cases.0.expect.reasons.0 is no failure code; docs/failures.md lists them'],
  ],
  [
    'cases:\n  - name: a\n    input: { x: 1 }\n    expect: {}',
    ['weekly.cases.yaml:3: cases.0.input does not fit the job: the job takes no input'],
  ],
  [
    'cases:\n  - name: a\n    set:\n      promt: x\n    expect: {}',
    ['weekly.cases.yaml:4: cases.0.set.promt is not a known key; correct its name or take it out'],
  ],
  [
    'cases:\n  - name: a\n    set:\n      account: nobody\n    expect: {}',
    ['weekly.cases.yaml:4: cases.0.set.account is nobody, which is not under accounts: in the configuration; known are reports, audit'],
  ],
  [
    'cases:\n  - name: a\n    set:\n      prompt: "{{ input.x }}"\n    expect: {}',
    [expect.stringMatching(/^weekly\.cases\.yaml:4: cases\.0\.set\.prompt /)],
  ],
])('%j has faults with file, line and field', (cases, faults) => {
  expect(faultsOf(cases).map((line) => line.trim())).toEqual(faults)
})

test('a job without cases says how to write one', () => {
  const dir = files.freshDir()
  writeFileSync(join(dir, 'weekly.yaml'), GOOD)
  const job = loadJobs(dir, OFFER).jobs.get('weekly')
  expect(() => job && loadCases(job, OFFER)).toThrow(
    expect.objectContaining({
      code: 'JOB_INVALID',
      message: expect.stringMatching(/weekly\.cases\.yaml/),
      cure: expect.stringMatching(/nightshift eval record/),
    }),
  )
})

describe('an arm', () => {
  test('is read from what it changes', () => {
    expect(parseArm('model=openai/gpt-5.4/mini,delegate=hosted')).toEqual({
      name: 'model=openai/gpt-5.4/mini,delegate=hosted',
      model: { provider: 'openai', name: 'gpt-5.4/mini' },
      delegate: 'hosted',
    })
    expect(parseArm('model=small')).toEqual({ name: 'model=small', model: { provider: undefined, name: 'small' } })
    expect(parseArm('job=a=b.yaml')).toEqual({ name: 'job=a=b.yaml', file: 'a=b.yaml' })
  })

  test.each(['', 'model=', 'model', 'speed=9', 'delegate=cloud'])('%j is refused with what can be written', (text) => {
    expect(() => parseArm(text)).toThrow(/COMMAND_INVALID|The arm/)
  })
})

test('the shipped file is as its format says, with a line on what each case would catch', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../jobs/labor-report.cases.yaml'), 'utf8')
  expect(text.match(/^ {2}- name: /gm)).toHaveLength(16)
  expect(text.match(/^ {4}about: /gm)).toHaveLength(16)
})

test('a value that says nothing to compare with is told the forms there are', () => {
  expect(() => load('cases: [{ name: a, expect: { output: { n: { near: 2 } } } }]').read()).toThrow(
    'must be a value, a list of them, { near: 5.7, within: 0.05 }, { length: 14 } or { oneOf: [a, b] }',
  )
})
