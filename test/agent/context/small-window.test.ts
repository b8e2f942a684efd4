import { expect, test } from 'vitest'
import { buildTestApp } from '../../support/app/test-app.ts'

const WINDOW = 8000
const job = `
account: reports
model: { provider: openai, name: scripted }
prompt: Read the table.
tools: { labor: { allow: [query], repeatable: [query], allowPartial: true } }
`
const script = [
  ...Array.from({ length: 12 }, (_, n) => `call labor__query {"sql": "select * from unemployment limit 40 offset ${n * 40}"}`),
  'say All of it was read.',
].join('\n')

test('a run through a window that its provider keeps and the configuration names is green, and shows what was put aside', async () => {
  await using testApp = await buildTestApp({
    jobs: { read: job },
    scripts: { scripted: script },
    server: { windows: { scripted: WINDOW } },
    config: { models: { scripted: { windowTokens: WINDOW } } },
  })
  const run = await testApp.run('read')
  expect(run).toMatchObject({ status: 'succeeded', outputText: 'All of it was read.', reasons: [] })
  expect(run.toolCalls.filter(({ server }) => server === 'labor')).toHaveLength(12)
  expect(run.turns.reduce((sum, { putAside }) => sum + putAside, 0)).toBeGreaterThan(0)
})
