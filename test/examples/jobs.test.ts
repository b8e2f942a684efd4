import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { command } from '../support/cli/command.ts'
import { buildTestApp } from '../support/app/test-app.ts'

const read = (path: string) => readFileSync(join(import.meta.dirname, '../../examples', path), 'utf8')

const MONTHS = { months: ['January', 'February', 'March'] }

test('the hosted job runs, with every call made by the provider', async () => {
  await using testApp = await buildTestApp({
    jobs: { 'hosted-report': read('hosted-job/hosted-report.yaml') },
    scripts: { 'gpt-5.4-mini': `call labor__describe_tables {}\nsay ${JSON.stringify(MONTHS)}` },
    background: true,
  })
  const run = await testApp.run('hosted-report')
  expect(run).toMatchObject({
    status: 'succeeded',
    output: MONTHS,
    toolCalls: [{ server: 'labor', tool: 'describe_tables', status: 'ok' }],
  })
})

const JOB = 'pinned-report'
const LOCK = `${JOB}.lock.yaml`
const openPinned = (lock: string) =>
  buildTestApp({
    jobs: { [JOB]: read(`pinning/${JOB}.yaml`) },
    files: { [`jobs/${LOCK}`]: lock },
    scripts: { 'gpt-5.4-mini': 'call labor__describe_tables {}\nsay Some.' },
  })

test('the pinned job runs with the lock file beside it, which is what jobs pin writes', async () => {
  const lock = read(`pinning/${LOCK}`)
  await using testApp = await openPinned(lock)
  expect(await testApp.run(JOB)).toMatchObject({ status: 'succeeded' })
  expect(await command(['-c', testApp.world.configFile, 'jobs', 'pin', JOB])).toMatchObject({ code: 0 })
  expect(readFileSync(join(testApp.dir, 'jobs', LOCK), 'utf8')).toBe(lock)
})

test('the pinned job does not begin when a tool is not the one that was read', async () => {
  await using testApp = await openPinned(read(`pinning/${LOCK}`).replace(/digest: sha256:\w{4}/, 'digest: sha256:0000'))
  expect(await testApp.run(JOB)).toMatchObject({ status: 'failed', failure: { code: 'TOOL_CHANGED' }, turns: [] })
})
