// @ts-nocheck
import { expect, test } from 'vitest'
import { buildTestApp } from '../support/app/test-app.ts'

const job = `
account: reports
model: { provider: openai, name: scripted }
prompt: Say what is in the table.
tools:
  labor: { allow: [describe_tables, query], repeatable: [describe_tables, query] }
`

test('a run goes from job file to stored result, each tool call tied to a gateway request', async () => {
  await using testApp = await buildTestApp({
    jobs: { report: job },
    scripts: { scripted: 'call labor__describe_tables {} & labor__query {"sql": "select count(*) as n from unemployment"}\nsay Done: $2' },
  })
  const run = await testApp.run('report')
  expect(run).toMatchObject({ status: 'succeeded', reasons: [], outputText: expect.stringContaining('"n":1708') })
  expect(run.toolCalls.map(({ tool, status }) => `${tool} ${status}`)).toEqual(['describe_tables ok', 'query ok'])
  const ids = new Set(run.gatewayRequests.map(({ requestId }) => requestId))
  for (const call of run.toolCalls) expect(ids).toContain(call.requestId)
})
