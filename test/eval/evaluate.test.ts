import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { describe, expect, test } from 'vitest'
import type { Estimate } from '../../src/eval/estimate.ts'
import { prepareDir, writeFiles, readBaseline } from '../../src/eval/files.ts'
import { pageNameOf, pageOf } from '../../src/eval/page.ts'
import { addCase, recordCase, yamlOf } from '../../src/eval/cases/record.ts'
import { openTestEval } from '../support/eval/test-eval.ts'

const JOB = `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  everything: { allow: [echo, get-sum], repeatable: [get-sum], minCalls: 0 }
deliver: []
`
const cases = (...lines: string[]) => `cases:\n${lines.map((line) => `  - ${line}\n`).join('')}`

test('a write is refused and told so, unless the case lets it be made', async () => {
  await using bench = await openTestEval({
    jobs: {
      'act.yaml': JOB,
      'act.cases.yaml': cases(
        '{ name: quiet, expect: {} }',
        '{ name: real, writes: made, expect: { calls: { everything.echo: { min: 1 } } } }',
      ),
    },
    scripts: { scripted: 'call everything__echo {"message":"hi"}\nsay $1' },
  })
  const { trials } = await bench.evaluate(['model=scripted'], { job: 'act' })
  const [quiet, real] = trials
  expect(trials.map(({ verdict }) => verdict)).toEqual(['right', 'right'])
  expect(quiet?.run.toolCalls).toMatchObject([{ tool: 'echo', status: 'refused' }])
  expect(quiet?.run.outputText).toBe('Error: this tool may change something, and this run may change nothing. Do not call it again.')
  expect(quiet?.run.gatewayRequests.filter(({ rpcMethod }) => rpcMethod === 'tools/call')).toEqual([])
  expect(real?.run.toolCalls).toMatchObject([{ tool: 'echo', status: 'ok' }])
})

test('a provider that calls the servers itself is not offered what may not be called', async () => {
  await using bench = await openTestEval({
    jobs: { 'act.yaml': JOB, 'act.cases.yaml': cases('{ name: quiet, expect: {} }') },
    scripts: { scripted: 'say done' },
  })
  await bench.evaluate(['model=scripted,delegate=hosted'], { job: 'act' })
  expect(bench.world.model.requests).toMatchObject([{ tools: [{ type: 'mcp', allowed_tools: ['get-sum'] }] }])
})

test('it stops at its limit in money, case by case, and says what was not begun', async () => {
  await using bench = await openTestEval()
  const { trials, left, stoppedBy, spentUsd } = await bench.evaluate(['model=perfect'], { maxUsd: 0.02, concurrency: 2, times: 3 })
  expect(stoppedBy).toBe('money')
  expect(trials.length + left).toBe(48)
  expect(trials.length).toBeGreaterThan(0)
  // A run learns that its share is gone when an answer has cost it.
  const most = Math.max(...trials.map(({ run }) => run.cost.usd ?? 0))
  expect(spentUsd).toBeGreaterThanOrEqual(trials.reduce((sum, { run }) => sum + (run.cost.usd ?? 0), 0))
  expect(spentUsd).toBeLessThan(0.02 + 2 * most)
  expect(trials.flatMap(({ run }) => run.reasons.map(({ code }) => code))).not.toContain('BUDGET_COST')
})

test('an arm is given once', async () => {
  await using bench = await openTestEval()
  await expect(bench.evaluate(['model=perfect', 'model=perfect'])).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
})

test('a limit in money needs a price of each model', async () => {
  await using bench = await openTestEval({ jobs: { 'act.yaml': JOB, 'act.cases.yaml': cases('{ name: a, expect: {} }') } })
  await expect(bench.evaluate(['model=scripted'], { job: 'act', maxUsd: 1 })).rejects.toMatchObject({ code: 'COMMAND_INVALID' })
})

test('a run that never came to the model’s work is undecided', async () => {
  await using bench = await openTestEval({
    jobs: { 'act.yaml': JOB, 'act.cases.yaml': cases('{ name: a, set: { tools: { nowhere: { allow: [x] } } }, expect: {} }') },
    scripts: { scripted: 'say done' },
  })
  const { trials } = await bench.evaluate(['model=scripted'], { job: 'act' })
  expect(trials).toMatchObject([{ verdict: 'undecided', faults: [expect.stringContaining('ROUTE_UNKNOWN')] }])
})

describe('what keeps a run from its work, and would keep every other one', () => {
  const act = (more = '') => ({
    'act.yaml': `${JOB}${more}`,
    'act.cases.yaml': cases('{ name: a, expect: {} }', '{ name: b, expect: {} }'),
  })
  const noWait = () => {
    throw new Error('nothing is waited for')
  }

  test('ends it at once, with its cure: a model that is not there, a token that the gateway refuses', async () => {
    await using one = await openTestEval({ jobs: act(), scripts: { scripted: 'say done' } })
    const more = { job: 'act', times: 5, concurrency: 1, onWait: noWait }
    expect(await one.evaluate(['model=none', 'model=scripted'], more)).toMatchObject({
      trials: [{ verdict: 'undecided', faults: [expect.stringContaining('Correct model.name')] }],
      left: 19,
      stoppedBy: 'failure',
      failure: { code: 'MODEL_NOT_FOUND', cure: 'Correct model.name in the job file.' },
    })
    const token = { jwt: 'x.y.z', accountId: 'x', userId: 'x', expiresAt: undefined }
    const resources = { ...one.bench.resources, accounts: new Map([['reports', { current: () => token }]]) }
    expect(await one.evaluate(['model=scripted'], { ...more, bench: { ...one.bench, resources } })).toMatchObject({
      trials: [{ verdict: 'undecided' }],
      left: 9,
      failure: { code: 'TOKEN_REJECTED', cure: expect.stringContaining('Put a valid token') },
    })
  })

  test('and that time may heal is waited for, and said, and ends it when no run came to its work', async () => {
    const fails = Array.from({ length: 6 }, () => 'fail 500').join('\n')
    await using one = await openTestEval({
      jobs: act('retry: { attempts: 2, backoff: 1ms }\n'),
      scripts: { scripted: `${fails}\nsay done` },
    })
    const waits: string[] = []
    const found = await one.evaluate(['model=scripted'], { job: 'act', concurrency: 1, onWait: ({ failure }) => waits.push(failure.code) })
    expect(found).toMatchObject({ trials: [{ verdict: 'undecided' }], left: 1, failure: { code: 'MODEL_UNAVAILABLE' } })
    expect(waits).toEqual(['MODEL_UNAVAILABLE'])
  })
})

test('what will be run, and what it may cost, is known before the first run', async () => {
  await using bench = await openTestEval({
    jobs: {
      'act.yaml': JOB,
      'act.cases.yaml': cases('{ name: a, expect: {} }', '{ name: b, writes: made, set: { limits: { deadline: 1h } }, expect: {} }'),
    },
    scripts: { scripted: 'say done' },
  })
  const estimates: Estimate[] = []
  const onEstimate = (estimate: Estimate) => {
    expect(bench.world.model.requests).toEqual([])
    estimates.push(estimate)
  }
  await bench.evaluate(['model=scripted', 'job=' + join(bench.dir, 'jobs/act.yaml')], { job: 'act', times: 2, onEstimate })
  expect(estimates).toEqual([
    {
      job: 'act',
      arms: [
        { name: 'model=scripted', cases: 2, models: ['openai/scripted'] },
        { name: `job=${join(bench.dir, 'jobs/act.yaml')}`, cases: 2, models: ['openai/scripted'] },
      ],
      times: 2,
      runs: 8,
      limitsUsd: 0,
      maxUsd: undefined,
      unlimited: [],
      unpriced: ['openai/scripted'],
      writes: ['b'],
      deadline: '1h',
    },
  ])
})

test('a job file of an arm that is not there is named', async () => {
  await using bench = await openTestEval({ jobs: { 'act.yaml': JOB, 'act.cases.yaml': cases('{ name: a, expect: {} }') } })
  await expect(bench.evaluate(['job=jobs/none.yaml'], { job: 'act' })).rejects.toMatchObject({
    code: 'COMMAND_INVALID',
    message: 'The arm job=jobs/none.yaml names a job file that is not there: jobs/none.yaml.',
  })
})

test('a run becomes a case that is run again without its servers, with what they said and the times it had', async () => {
  await using bench = await openTestEval({
    jobs: {
      'act.yaml': `${JOB}timezone: Europe/Zurich\n`,
      'act.cases.yaml': '# Ours.\ncases:\n  # The first.\n  - name: first\n    at: 2026-11-23 07:00\n    expect: { says: [3] }\n',
    },
    scripts: { scripted: 'call everything__get-sum {"a":1,"b":2}\nsay $1', other: 'call everything__get-sum {"a":2,"b":2}\nsay $1' },
  })
  const job = bench.jobs.get('act')
  if (!job) throw new Error('no job')
  const { trials } = await bench.evaluate(['model=scripted'], { job: 'act' })
  const run = trials[0]?.run
  if (!run) throw new Error('no run')
  const definition = {
    name: 'get-sum',
    description: 'Adds.',
    inputSchema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } } },
  }
  const secret = 'The sum of 1'
  const recorded = recordCase({
    run,
    job,
    tools: [
      { server: 'everything', tool: 'get-sum', digest: '', definition },
      { server: 'everything', tool: 'echo', digest: '', definition: { name: 'echo', inputSchema: { type: 'object' } } },
    ],
    expectOutput: false,
    redact: (text) => text.replaceAll(secret, '[secret]'),
  })
  expect(yamlOf(recorded)).not.toContain(secret)
  const file = addCase(job, recorded)
  expect(() => addCase(job, recorded)).toThrow(/has a case run-\w+ already/)
  const text = readFileSync(file, 'utf8')
  expect(text).toMatch(/^# Ours\.\ncases:\n {2}# The first\.\n/)
  expect(parse(text)).toMatchObject({
    cases: [
      { name: 'first' },
      { at: '2026-11-23 07:00:00', now: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/), record: { run: run.id } },
    ],
  })

  const before = bench.world.model.requests.length
  const again = await bench.evaluate(['model=scripted', 'model=other'], { job: 'act', only: [`run-${run.id.slice(-12)}`] })
  expect(again.trials.map(({ run: one }) => one.outputText)).toEqual(['[secret] and 2 is 3.', 'Error: not in the record'])
  expect(again.trials[0]?.run.gatewayRequests.every(({ host }) => host.startsWith('127.0.0.1'))).toBe(true)
  // The model is told what it was told the first time.
  expect(bench.world.model.requests[before]).toMatchObject({
    input: [{ content: expect.stringContaining('Monday 2026-11-23 07:00 Europe/Zurich') }],
  })
})

test('each run has a page, and the whole can be the baseline of a later one', async () => {
  await using bench = await openTestEval({
    jobs: { 'act.yaml': JOB, 'act.cases.yaml': cases('{ name: a, expect: { says: [4] } }') },
    scripts: { scripted: 'call everything__get-sum {"a":1,"b":2}\nsay </pre><script>$1</script>' },
  })
  const evaluated = await bench.evaluate(['model=scripted'], { job: 'act' })
  const dir = join(bench.dir, 'out')
  prepareDir(dir)
  await writeFiles(dir, evaluated)
  const [trial] = evaluated.trials
  const page = trial ? readFileSync(join(dir, pageNameOf(trial)), 'utf8') : ''
  for (const part of ['<title>a, model=scripted, run 1: false-green</title>', '<li>the answer does not say 4</li>', 'Do it.'])
    expect(page).toContain(part)
  expect(page).toMatch(/<code>everything\.get-sum<\/code>\s*<span class="status ok">ok<\/span>\s*<small>request <code>[\w-]+<\/code>/)
  // What came from outside is text, whatever it holds.
  expect(page).toContain('<pre>&lt;/pre&gt;&lt;script&gt;The sum of 1 and 2 is 3.&lt;/script&gt;</pre>')
  expect(page).not.toContain('<script')
  expect(readBaseline(join(dir, 'eval.json'), 'act')).toMatchObject({
    arm: 'model=scripted',
    trials: [{ case: 'a', verdict: 'false-green' }],
  })
  expect(() => readBaseline(join(dir, 'eval.json'), 'other')).toThrow(/it is of the job act/)
  // A file stands in the way.
  expect(() => prepareDir(join(dir, 'eval.json', 'below'))).toThrow(/The pages cannot be written to .*below: /)
  expect(readBaseline(dir, 'act')).toEqual(readBaseline(join(dir, 'eval.json'), 'act'))
  for (const none of [join(dir, 'none.json'), bench.dir])
    expect(() => readBaseline(none, 'act')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^The baseline \S+\.json cannot be used: there is no such file\.$/),
        cure: expect.stringContaining('nightshift eval act --out DIR writes one'),
      }),
    )
})

test('the page of a run shows what was said to the model between its turns, and calls that end the run', async () => {
  await using bench = await openTestEval({
    jobs: { 'act.yaml': JOB.replace(', minCalls: 0', ''), 'act.cases.yaml': cases('{ name: a, expect: { ending: nothing_new } }') },
    scripts: { scripted: 'say 4\ncall everything__get-sum {"a":1,"b":2}\ncall nightshift__nothing_new {"why":"no rows"}' },
  })
  const { trials } = await bench.evaluate(['model=scripted'], { job: 'act' })
  const [trial] = trials
  const page = trial ? await pageOf(trial) : ''
  const parts = [
    '<pre>4</pre>',
    '<p>Nightshift</p>',
    'you have not read anything from everything',
    'everything.get-sum',
    'Model calls nightshift__nothing_new',
  ]
  const places = parts.map((part) => page.indexOf(part))
  expect(places).not.toContain(-1)
  expect(places).toEqual(places.toSorted((a, b) => a - b))
})
