import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runJob } from '../../examples/api-client/client.ts'
import { environment } from '../../src/config/environment.ts'
import { listRuns } from '../../src/store/runs/list.ts'
import { openApi, secretOf, type Api } from '../support/app/api.ts'

const DIR = join(import.meta.dirname, '../../examples/api-client')
const exec = promisify(execFile)
const hasTools = ['curl', 'jq'].every((name) => spawnSync(name, ['--version']).status === 0)

const work = `
account: reports
model: { provider: openai, name: scripted }
input: { type: object, required: [industry], properties: { industry: { type: string } } }
prompt: Report on {{ input.industry }}.
tools:
  labor: { allow: [describe_tables], repeatable: [describe_tables] }
output: { schema: { type: object, required: [summary], properties: { summary: { type: string } } } }
`
const summary = { summary: 'done' }
const script = Array.from({ length: 4 }, () => `call labor__describe_tables {}\nsay ${JSON.stringify(summary)}`).join('\n')

let api: Api
beforeAll(async () => {
  api = await openApi({ jobs: { work }, scripts: { scripted: script } })
  await api.testApp.app.worker.start()
})
afterAll(() => api[Symbol.asyncDispose]())

const options = () => ({ url: api.url, token: secretOf('runner'), job: 'work', input: { industry: 'Mining' } })

test('the client asks for a run, waits for it, and the same key makes no second one', async () => {
  const run = await runJob({ ...options(), idempotencyKey: 'order-1' })
  expect(run).toMatchObject({ status: 'succeeded', reasons: [], output: summary })
  const again = await runJob({ ...options(), idempotencyKey: 'order-1' })
  expect(again.id).toBe(run.id)
  expect(await listRuns(api.testApp.app.db, {}, { limit: 10 })).toHaveLength(1)
})

test('what the API refuses is thrown with its code', async () => {
  await expect(runJob({ ...options(), token: 'nsk_none', idempotencyKey: 'order-2' })).rejects.toThrow('UNAUTHENTICATED')
  await expect(runJob({ ...options(), input: {}, idempotencyKey: 'order-3' })).rejects.toThrow('INPUT_INVALID')
})

const shell = (command: string, ...args: string[]) =>
  exec(command, args, { env: { ...environment, NIGHTSHIFT_URL: api.url, NIGHTSHIFT_TOKEN: secretOf('runner') } })

test('the client is a program too', async () => {
  const { stdout } = await shell(process.execPath, join(DIR, 'client.ts'), 'work', '{"industry": "Mining"}', 'order-4')
  expect(JSON.parse(stdout)).toEqual(summary)
})

test.skipIf(!hasTools)('the script with curl does the same, and fails as curl does', async () => {
  const program = join(DIR, 'run-job.sh')
  const { stdout } = await shell(program, 'work', '{"industry": "Mining"}', 'order-5')
  expect(JSON.parse(stdout)).toEqual(summary)
  await expect(shell(program, 'unknown')).rejects.toMatchObject({ code: expect.any(Number) })
})
