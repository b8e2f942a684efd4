import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { writeFiles, readBaseline } from '../../src/eval/files.ts'
import { pageNameOf } from '../../src/eval/page.ts'
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
    scripts: { scripted: 'call everything__get-sum {"a":1,"b":2}\nsay ```$1```' },
  })
  const evaluated = await bench.evaluate(['model=scripted'], { job: 'act' })
  const dir = join(bench.dir, 'out')
  writeFiles(dir, evaluated)
  const [trial] = evaluated.trials
  const page = trial ? readFileSync(join(dir, pageNameOf(trial)), 'utf8') : ''
  expect(page).toContain('# a, model=scripted, run 1: false-green')
  expect(page).toContain('- the answer does not say 4')
  expect(page).toContain('Do it.')
  expect(page).toMatch(/`everything\.get-sum`: ok, request `[\w-]+`/)
  expect(page).toContain('````\n```The sum of 1 and 2 is 3.```\n````')
  expect(readBaseline(join(dir, 'eval.json'), 'act')).toMatchObject({
    arm: 'model=scripted',
    trials: [{ case: 'a', verdict: 'false-green' }],
  })
  expect(() => readBaseline(join(dir, 'eval.json'), 'other')).toThrow(/it is of the job act/)
  expect(() => readBaseline(join(dir, 'none.json'), 'act')).toThrow(/cannot be used/)
})
