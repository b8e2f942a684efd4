import { expect, test } from 'vitest'
import { environment } from '../../../src/config/environment.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { countingJob } from '../../support/app/jobs.ts'

/** An OpenAI-compatible server that is not ours, such as http://127.0.0.1:4000/v1, a model of it, and its API: chat or responses. */
const { NIGHTSHIFT_TEST_MODEL_URL: url, NIGHTSHIFT_TEST_MODEL: name = 'tiny', NIGHTSHIFT_TEST_MODEL_API: api = 'chat' } = environment

const job = (extra: string) =>
  countingJob({
    provider: 'other',
    model: name,
    prompt: 'Say hello.',
    tools: 'counting: { allow: [look], repeatable: [look] }',
    retry: '{ attempts: 1 }',
    more: `limits: { turns: 3 }\n${extra}`,
  })

async function ask(extra = '') {
  await using server = await startCountingServer()
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    config: { providers: { other: { api, baseUrl: url, apiKey: '' } } },
    jobs: { ask: job(extra) },
  })
  return await testApp.run('ask')
}

test.skipIf(url === undefined)(
  'a local run against another OpenAI-compatible server: whatever it answers, it is read, and its tokens are counted',
  { timeout: 300_000 },
  async () => {
    const run = await ask()
    expect(['succeeded', 'incomplete'], JSON.stringify(run.reasons)).toContain(run.status)
    expect(run.turns.length).toBeGreaterThan(0)
    for (const turn of run.turns) expect(turn.usage.inputTokens).toBeGreaterThan(0)
    expect(run.usage.outputTokens).toBeGreaterThan(0)
  },
)

test.skipIf(url === undefined || api !== 'responses')(
  'a hosted run against a server that calls no MCP servers is not green',
  { timeout: 300_000 },
  async () => {
    const run = await ask('delegate: hosted')
    expect(run.status).toBe('failed')
    expect(['MODEL_IGNORED_TOOLS', 'MODEL_REJECTED']).toContain(run.failure?.code)
  },
)
