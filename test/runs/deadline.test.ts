import { expect, test } from 'vitest'
import { Failure } from '../../src/core/failure.ts'
import { requireRun } from '../../src/runs/lookup.ts'
import { countingRoute, startCountingServer } from '../support/mcp/counting-server.ts'
import { countingJob } from '../support/app/jobs.ts'
import { buildTestApp } from '../support/app/test-app.ts'

test('what a run had when its deadline came is kept, as not green', async () => {
  await using server = await startCountingServer()
  await using testApp = await buildTestApp({
    routes: [countingRoute(server)],
    jobs: { act: countingJob({ tools: 'counting: { allow: [act] }' }) },
    scripts: { scripted: 'say So far it is 42.\ncall counting__act {}\nsay done' },
  })
  const { app } = testApp
  // A tool that is not repeatable may take all the time that there is.
  server.answer = () => new Promise(() => {})
  const late = new AbortController()
  const id = await testApp.write('act')
  const executed = app.runner.execute(id, 'one', late.signal)
  await server.nextCall()
  late.abort(new Failure({ code: 'DEADLINE', message: 'The attempt did not end in time.' }))
  expect(await executed).toMatchObject({ kind: 'finished', status: 'failed' })
  const run = await requireRun(app.db, id)
  expect(run).toMatchObject({ status: 'failed', failure: { code: 'DEADLINE' }, outputText: 'So far it is 42.', output: null })
})
