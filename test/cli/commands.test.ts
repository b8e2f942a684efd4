import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { buildTestApp } from '../support/app/test-app.ts'
import { command, type Ended } from '../support/cli/command.ts'

const JOB = `
description: Acts once
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query] }
`

describe('help', () => {
  test.each([['start'], ['run'], ['runs'], ['show'], ['jobs'], ['jobs', 'check'], ['demo']])(
    'of %s %s has examples and no colors',
    async (...args) => {
      const { code, out, err } = await command([...args.filter((arg) => arg !== undefined), '--help'])
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toMatch(/\nExamples:\n( {2}\$ \S.*\n?)+$/)
      expect(out).not.toContain('\u001b')
    },
  )
})

describe('wrong use ends with 2 and says what is right', () => {
  test.each([
    ['an unknown command', ['nonsense'], /unknown command 'nonsense'/],
    ['an unknown option', ['runs', '--nonsense'], /unknown option '--nonsense'/],
    ['a command without its argument', ['show'], /missing required argument 'run'\nSee nightshift show --help\.$/],
    ['a command of a command without its argument', ['jobs', 'pin'], /See nightshift jobs pin --help\.$/],
    ['a time that could be anything', ['runs', '--since', '6'], /6h or 7d/],
    ['too many arguments', ['show', 'run_1', 'run_2'], /too many arguments/],
    ['a status that is none', ['runs', '--status', 'done'], /queued, running, waiting/],
    ['a limit that is none', ['runs', '--limit', '0'], /from 1 to 10000/],
    ['an input that is no pair', ['run', 'act', '--input', 'department'], /key=value/],
    ['no command', [], /Usage: nightshift/],
    ['no configuration file', ['-c', '/nowhere/at/all.yaml', 'runs'], /^CONFIG_INVALID .*\/nowhere\/at\/all\.yaml/],
  ])('%s', async (_, args, message) => {
    const { code, out, err } = await command(args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
  })

  test('a configuration with faults: each with its line, none with a secret', async () => {
    await using testApp = await buildTestApp({ jobs: { act: JOB } })
    const file = join(testApp.dir, 'bad.yaml')
    writeFileSync(file, 'gateway: { url: nonsense }\naccounts: { reports: { token: hush-hush, tokenFile: x } }\nproviders: {}\nwrong: 1\n')
    const { code, out, err } = await command(['-c', file, 'jobs'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    for (const part of ['CONFIG_INVALID', `${file}:1`, `${file}:2`, `${file}:4`, 'wrong']) expect(err).toContain(part)
    expect(err).not.toContain('hush-hush')
  })

  test('a job or run that is not there, with those that are', async () => {
    await using testApp = await buildTestApp({ jobs: { act: JOB } })
    const at = ['-c', testApp.world.configFile]
    const unknownJob = await command([...at, 'run', 'nonsense'])
    expect(unknownJob).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringMatching(/^JOB_UNKNOWN There is no job nonsense; there are act\./),
    })
    const unknownRun = await command([...at, 'show', 'run_nonsense'])
    expect(unknownRun).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^RUN_UNKNOWN There is no run run_nonsense\./) })
    const input = await command([...at, 'run', 'act', '--input', 'n=1'])
    expect(input).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^INPUT_INVALID .*takes no input/) })
    expect(JSON.parse((await command([...at, 'runs', '--json'])).out)).toEqual([])
  })

  test('a job file with a fault: named with its line by jobs, jobs check and run, and the others are still listed', async () => {
    await using testApp = await buildTestApp({ jobs: { act: JOB } })
    writeFileSync(join(testApp.dir, 'jobs', 'broken.yaml'), JOB.replace('labor:', 'prompt: \u001b[31m\n  labor:'))
    const at = ['-c', testApp.world.configFile]
    const check = await command([...at, 'jobs', 'check'])
    expect(check).toMatchObject({ code: 2, out: '1 job valid, 1 fault.', err: expect.stringMatching(/broken\.yaml:\d+/) })
    const checkJson = await command([...at, 'jobs', 'check', '--json'])
    expect(checkJson).toMatchObject({ code: 2, err: '' })
    expect(JSON.parse(checkJson.out)).toEqual({ valid: ['act'], issues: [expect.stringContaining('broken.yaml')], warnings: [] })
    const list = await command([...at, 'jobs'])
    expect(list).toMatchObject({ code: 2, out: expect.stringContaining('act'), err: expect.stringContaining('broken.yaml') })
    const run = await command([...at, 'run', 'broken'])
    expect(run).toMatchObject({ code: 2, err: expect.stringContaining('broken.yaml') })
    expect(check.err + list.err + run.err).not.toContain('\u001b')
    const start = await command([...at, 'start'])
    expect(start).toMatchObject({ code: 2, err: expect.stringContaining('broken.yaml') })
  })
})

describe('jobs check of what is named alone', () => {
  const stack = new AsyncDisposableStack()
  let jobs: string
  let check: (...named: string[]) => Promise<Ended>

  beforeAll(async () => {
    const tokens = { one: { sha256: '0'.repeat(64), role: 'runner', jobs: ['atc'] } }
    const testApp = stack.use(await buildTestApp({ jobs: { act: JOB }, config: { api: { listen: '127.0.0.1:0', tokens } } }))
    jobs = join(testApp.dir, 'jobs')
    writeFileSync(join(jobs, 'broken.yaml'), JOB.replace('labor:', 'labr:'))
    writeFileSync(join(jobs, 'wrong.yml'), 'prompt: 7\n')
    writeFileSync(join(jobs, 'act.cases.yaml'), 'cases: []\n')
    writeFileSync(join(testApp.dir, 'elsewhere.yaml'), JOB)
    check = (...named) => command(['-c', testApp.world.configFile, 'jobs', 'check', ...named])
  })
  afterAll(() => stack.disposeAsync())

  test.each<[named: string[], faulty: string[]]>([
    [['DIR/../elsewhere.yaml'], []],
    [['act'], ['act.cases.yaml']],
    [['act.yaml'], ['act.cases.yaml']],
    [['act', 'DIR/act.yaml', 'DIR/act.cases.yaml'], ['act.cases.yaml']],
    [
      ['wrong', 'act'],
      ['wrong.yml', 'act.cases.yaml'],
    ],
  ])('%j', async (named, faulty) => {
    const { code, out, err } = await check(...named.map((one) => one.replace('DIR', jobs)))
    expect({ code, out }).toEqual({ code: faulty.length > 0 ? 2 : 0, out: expect.stringMatching(/^1 job valid, /) })
    expect([...new Set(err.match(/[\w.]+\.ya?ml(?=:\d)/g))]).toEqual(faulty)
  })

  test.each([
    ['acct', 'There is no job and no job file acct. Did you mean act?'],
    ['jobs/atc.yaml', 'There is no job and no job file jobs/atc.yaml. Did you mean act?'],
    ['nothing-like-it', 'There is no job and no job file nothing-like-it.'],
  ])('%s is none', async (named, said) => {
    expect(await check('act', named)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(`JOB_UNKNOWN ${said}`) })
  })
})

test('a job that the configuration misspells is named by jobs check, and nothing is started', async () => {
  const tokens = { one: { sha256: '0'.repeat(64), role: 'runner', jobs: ['atc'] } }
  await using testApp = await buildTestApp({
    jobs: { act: JOB },
    config: { api: { listen: '127.0.0.1:0', tokens }, budgets: { jobs: { atc: { tokens: 1 } } } },
  })
  const at = ['-c', testApp.world.configFile]
  const check = await command([...at, 'jobs', 'check'])
  expect(check).toMatchObject({ code: 2, out: '1 job valid, 2 faults.' })
  for (const text of [check.err, (await command([...at, 'start'])).err]) {
    expect(text).toContain('budgets.jobs.atc names atc, which is no job; did you mean act?')
    expect(text).toContain('api.tokens.one.jobs.0 names atc, which is no job; did you mean act?')
  }
})

test('a store that is away ends with 7, and one that is newer too', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB }, config: {} })
  const file = join(testApp.dir, 'away.yaml')
  writeFileSync(file, 'gateway: { url: https://mcp.example.com }\naccounts: {}\nproviders: {}\ndatabaseUrl: postgres://127.0.0.1:1/none\n')
  expect(await command(['-c', file, 'runs'])).toMatchObject({
    code: 7,
    out: '',
    err: expect.stringMatching(/^STORE_UNAVAILABLE .*127\.0\.0\.1:1/),
  })
  await testApp.database.db.query('insert into migrations (version) values (999999)')
  expect(await command(['-c', testApp.world.configFile, 'runs'])).toMatchObject({
    code: 7,
    out: '',
    err: expect.stringMatching(/^STORE_TOO_NEW /),
  })
})

test('runs, show and jobs print one JSON value with --json, and only that', async () => {
  await using testApp = await buildTestApp({
    jobs: { act: JOB },
    scripts: { scripted: 'call labor__query {"sql": "select 1 as one"}\nsay $1' },
  })
  const at = ['-c', testApp.world.configFile]
  const { id } = await testApp.run('act')
  const [runs, show, jobs] = [
    await command([...at, 'runs', '--json']),
    await command([...at, 'show', id, '--json']),
    await command([...at, 'jobs', '--json']),
  ]
  for (const { code, err } of [runs, show, jobs]) expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(JSON.parse(runs.out)).toMatchObject([{ id, job: 'act', status: 'succeeded', attempts: 1 }])
  expect(JSON.parse(show.out)).toMatchObject({ id, status: 'succeeded', toolCalls: [{ tool: 'query', status: 'ok' }] })
  expect(JSON.parse(jobs.out)).toMatchObject({ jobs: [{ name: 'act', description: 'Acts once' }], issues: [] })
  const filtered = async (...args: string[]) =>
    z.array(z.unknown()).parse(JSON.parse((await command([...at, 'runs', '--json', ...args])).out)).length
  expect([await filtered('--job', 'act'), await filtered('--status', 'failed')]).toEqual([1, 0])
})

test('run queues a run with its input and prints its id, for people and as JSON', async () => {
  const job = `${JOB}input: { type: object, additionalProperties: false, properties: { n: { type: integer }, name: { type: string }, on: { type: boolean } } }\n`
  await using testApp = await buildTestApp({ jobs: { act: job } })
  const at = ['-c', testApp.world.configFile]
  const { code, out } = await command([...at, 'run', 'act', '--json', '-i', 'n=3', 'name=a=b', 'on=true'])
  expect(code).toBe(0)
  const run = z.looseObject({ id: z.string() }).parse(JSON.parse(out))
  expect(run).toMatchObject({ status: 'queued', input: { n: 3, name: 'a=b', on: true }, trigger: { kind: 'cli' } })
  const plain = await command([...at, 'run', 'act'])
  expect(plain).toMatchObject({
    code: 0,
    err: expect.stringContaining('no worker is at work'),
    out: expect.stringMatching(/^queued +run_\S+\nSee it with: nightshift show run_\S+$/),
  })
})
