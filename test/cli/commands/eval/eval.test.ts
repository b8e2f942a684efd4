import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { CHARACTERS } from '../../../../src/demo/characters/characters.ts'
import { startDemoModel } from '../../../../src/demo/model/model.ts'
import { command } from '../../../support/cli/command.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-eval-cli-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('against a job with its cases', () => {
  const out = join(dir, 'job')
  const job =
    'account: reports\nmodel: { provider: openai, name: right }\nprompt: How much is it?\ntools:\n  everything: { allow: [get-sum], repeatable: [get-sum] }\noutput: { schema: { type: object, required: [sum], properties: { sum: { type: integer } } } }\n'
  const cases =
    'cases:\n  - name: three\n    expect: { output: { sum: 3 } }\n  - name: small\n    expect: { output: { sum: { oneOf: [3, 4] } } }\n'
  const sum = 'call everything__get-sum {"a":1,"b":2}'
  let testApp: Awaited<ReturnType<typeof buildTestApp>>
  let ended: Awaited<ReturnType<typeof command>>
  const at = (...args: string[]) => command(['-c', testApp.world.configFile, 'eval', 'act', '--out', out, ...args])
  beforeAll(async () => {
    testApp = await buildTestApp({ jobs: { act: job }, scripts: { right: `${sum}\nsay {"sum":3}`, wrong: `${sum}\nsay {"sum":4}` } })
    writeFileSync(join(testApp.dir, 'jobs/act.cases.yaml'), cases)
    ended = await at('--arm', 'model=right', '--arm', 'model=wrong')
  })
  afterAll(() => testApp[Symbol.asyncDispose]())

  test('the report names false green first, and exit code 1 says that there was one', () => {
    expect(ended.code).toBe(1)
    expect(ended.out).toMatch(/^act: 2 cases, 4 runs, 0\.\d\d USD\n\n +false green +right +always/)
    expect(ended.out).toMatch(/^model=right +0\/2 .* 2\/2 /m)
    expect(ended.out).toMatch(/^model=wrong +1\/2 .* 1\/2 /m)
    expect(ended.out).toContain('model=wrong against model=right: 0 better, 1 worse of 2')
    expect(ended.out).toContain('no difference shown')
    expect(ended.out).toContain(`A page for each run, and eval.json with everything: ${out}`)
    expect(ended.out).toMatch(/FALSE GREEN {2}model=wrong {2}three: output.sum is 4, not 3/)
  })

  test('each run has a page that holds what was told and what was found', () => {
    expect(readdirSync(out).toSorted()).toEqual([
      'eval.json',
      'model-right-small-1.html',
      'model-right-three-1.html',
      'model-wrong-small-1.html',
      'model-wrong-three-1.html',
    ])
    const page = readFileSync(join(out, 'model-wrong-three-1.html'), 'utf8')
    for (const part of ['false-green', 'How much is it?', 'everything.get-sum', '&quot;a&quot;: 1', '{&quot;sum&quot;:4}'])
      expect(page).toContain(part)
  })

  test('all right is exit code 0; --json gives one value, and an earlier evaluation can be the baseline', async () => {
    const again = await at('--arm', 'model=right', '--json', '--min-right', '1')
    expect({ code: again.code, err: again.err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(again.out)).toMatchObject({ job: 'act', left: 0, scores: [{ arm: 'model=right', falseGreen: { hits: 0, of: 2 } }] })
    const compared = await at('--arm', 'model=wrong', '--baseline', join(out, 'eval.json'))
    expect(compared.out).toContain('model=wrong against model=right of the baseline: 0 better, 1 worse of 2')
  })
})

test('against the demo, a run that found out by itself that it read a part is wrong and not green', async () => {
  const { code, out } = await command(['eval', '--demo', '--case', 'highest-rate', '--arm', 'model=first-page', '--out', join(dir, 'demo')])
  expect(code).toBe(0)
  expect(out).toMatch(/^model=first-page +0\/0 .* 0\/1 /m)
  expect(out).toContain('wrong  model=first-page  highest-rate: the run is incomplete (RESULT_PARTIAL), not succeeded')
})

test('a model of one’s own does the cases of the demo', async () => {
  await using model = await startDemoModel({ scripts: {}, characters: { mine: CHARACTERS.perfect } })
  const { code, out, err } = await command([
    'eval',
    '--demo',
    '--model-url',
    model.url,
    '--arm',
    'model=local/mine',
    '--case',
    'other-word',
    '--out',
    join(dir, 'own'),
  ])
  expect({ code, err }).toMatchObject({ code: 0 })
  expect(out).toMatch(/^model=local\/mine +0\/1 .* 1\/1 /m)
  expect(model.requests.length).toBeGreaterThan(1)
})

describe('what cannot be done is said before anything is run', () => {
  test.each([
    [['eval'], 'It is not said which job.'],
    [['eval', '--demo', '--arm', 'speed=9'], 'The arm speed=9 has speed=9, which is not known'],
    [['eval', '--demo', '--times', '0'], 'Write a whole number from 1 to 1000.'],
    [['eval', '--demo', '--max-cost', 'much'], 'Write an amount in USD'],
    [['eval', '--demo', '--min-right', '90'], 'Write a share from 0 to 1'],
    [['eval', '--demo', '--case', 'none'], 'There is no case none; there are latest-month'],
    [['eval', '--demo', '--arm', 'model=other/x'], 'There is no provider other; there are openai.'],
    [['eval', '--demo', 'none'], 'There is no job none'],
  ])('%j', async (args, why) => {
    const { code, err } = await command(args, { env: { NIGHTSHIFT_CONFIG: join(dir, 'none.yaml') } })
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(why) })
  })
})

test('a run is recorded as a case, and jobs check looks at the cases', async () => {
  const job =
    'account: reports\nmodel: { provider: openai, name: scripted }\nprompt: Do it.\ntools:\n  everything: { allow: [get-sum], repeatable: [get-sum] }\n'
  await using testApp = await buildTestApp({ jobs: { act: job }, scripts: { scripted: 'call everything__get-sum {"a":1,"b":2}\nsay $1' } })
  const { id } = await testApp.run('act')
  const at = (...args: string[]) => command(['-c', testApp.world.configFile, ...args])
  const printed = await at('eval', 'record', id)
  expect({ code: printed.code, err: printed.err }).toEqual({ code: 0, err: '' })
  expect(parse(printed.out)).toMatchObject([
    {
      about: 'succeeded',
      record: {
        run: id,
        servers: { everything: { tools: [{ name: 'get-sum' }], calls: [{ tool: 'get-sum', arguments: { a: 1, b: 2 }, error: false }] } },
      },
      expect: { ending: 'succeeded' },
    },
  ])
  const file = join(testApp.dir, 'jobs/act.cases.yaml')
  expect((await at('eval', 'record', id, '--write')).out).toContain(`Added to ${file}.`)
  expect((await at('jobs', 'check')).code).toBe(0)
  writeFileSync(file, readFileSync(file, 'utf8').replace('ending: succeeded', 'ending: green'))
  const checked = await at('jobs', 'check')
  expect({ code: checked.code, err: checked.err }).toEqual({ code: 2, err: expect.stringContaining('expect.ending must be') })
  expect((await at('eval', 'record', 'run_none')).err).toContain('There is no run run_none')
})
