import { describe, expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { countingJob } from '../../support/app/jobs.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { program } from '../../support/cli/command.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'

describe('a worker that was frozen for longer than its lease, and goes on', () => {
  test.each([
    { tool: 'act', ends: { status: 'failed', failure: { code: 'OUTCOME_UNKNOWN' } }, effects: 1 },
    { tool: 'look', ends: { status: 'succeeded', outputText: 'done' }, effects: 0 },
  ])('writes nothing more of a run that another one took over while it called $tool', async ({ tool, ends, effects }) => {
    await using server = await startCountingServer()
    await using testApp = await buildTestApp({
      routes: [countingRoute(server)],
      jobs: { act: countingJob() },
      scripts: { scripted: `call counting__${tool} {}\nsay done` },
      config: { worker: { lockTimeout: '6s' }, log: { level: 'info' } },
    })
    const { app, world } = testApp
    const held = Promise.withResolvers<string>()
    server.answer = () => held.promise
    await using stack = new AsyncDisposableStack()
    const frozen = program(['-c', world.configFile, 'start', '--only', 'worker'])
    stack.defer(() => void frozen.child.kill('SIGKILL'))
    await frozen.says('Nightshift is at work.')
    const called = server.nextCall()
    const id = await testApp.queue('act')
    await called
    frozen.child.kill('SIGSTOP')

    server.answer = () => 'done'
    await Promise.all([app.worker.start(), app.sweeper.start()])
    expect(await testApp.ended(id)).toMatchObject(ends)
    // When a request was answered is a fact, whoever has the run by then.
    const kept = async () => {
      const run = await loadRun(app.db, id)
      const calls = run?.toolCalls.map(({ status, result }) => ({ status, result }))
      return { status: run?.status, failure: run?.failure, outputText: run?.outputText, attempts: run?.attempts, turns: run?.turns, calls }
    }
    const before = await kept()
    expect(before.attempts).toMatchObject([{ status: 'lost' }, {}])

    held.resolve('late')
    frozen.child.kill('SIGCONT')
    await frozen.says('Another worker took the run over; this one stopped.')
    expect(await kept()).toEqual(before)
    expect(server.effects).toHaveLength(effects)

    // It is a good worker again.
    await app.worker.stop()
    const next = await testApp.queue('act')
    await expect.poll(() => query(app.db, 'select status from runs where id = $1', [next])).toEqual([{ status: 'succeeded' }])
    // Nor does it open an inspector for whoever may signal it.
    frozen.child.kill('SIGUSR1')
    frozen.child.kill('SIGTERM')
    const { code, err } = await frozen.ended
    expect(code).toBe(0)
    expect(err).not.toContain('Debugger')
  })
})
