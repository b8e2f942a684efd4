import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { createEcho, definitionIn } from '../../../src/dev/models/echo.ts'
import { createJobRegistry } from '../../../src/jobs/registry.ts'
import type { ModelRequest } from '../../../src/models/model.ts'
import { createJobFiles, OFFER } from '../../support/app/job-files.ts'

const { freshDir } = createJobFiles()
const JOB = `account: reports
model: { provider: openai, name: m }
prompt: Go.
tools:
  labor: { allow: [query], repeatable: [query] }
`
const request: ModelRequest = {
  instructions: '',
  prompt: 'Go.',
  exchanges: [],
  tools: [{ name: 'labor__query', description: '', parameters: { type: 'object' } }],
  mayCall: true,
  labels: { run: 'run_1', job: 'added', attempt: 'a', user: 'u' },
  output: undefined,
}

test('the echo model knows a job whose file was added after it began, and says so of one whose file is gone', async () => {
  const dir = freshDir()
  const registry = createJobRegistry({ dir, offer: () => OFFER, log: pino({ level: 'silent' }) })
  onTestFinished(() => registry.stop())
  const echo = createEcho((name) => definitionIn(registry, name)).model('m', () => {})
  const say = async () => (await echo.respond(request, new AbortController().signal)).items
  expect(await say()).toMatchObject([{ type: 'message', text: expect.stringContaining('the file of the job is not there') }])
  writeFileSync(join(dir, 'added.yaml'), JOB)
  expect(await say()).toMatchObject([{ type: 'tool_call', name: 'labor__query' }])
})
