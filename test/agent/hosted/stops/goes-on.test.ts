import { expect, test } from 'vitest'
import { z } from 'zod'
import { OPENAI_HABITS } from '../../../../src/demo/model/vendors/habits.ts'
import { query } from '../../../../src/store/postgres/db.ts'
import { loadRun } from '../../../../src/store/runs/show.ts'
import { retryRuns } from '../../../../src/store/runs/retry.ts'
import { someone } from '../../../support/actor.ts'
import { command } from '../../../support/cli/command.ts'
import { hostedApp, hostedJob, type HostedApp } from '../../../support/app/hosted.ts'
import { audited } from '../../../support/log/audited.ts'
import { until } from '../../../support/until.ts'

// A provider without background mode may go on when nobody reads its answer any more: what it does then is known by the gateway's log alone.

const ACTS = Array.from({ length: 4 }, (_, n) => `call counting__act {"n": ${n + 1}}`).join('\n')
const GOES_ON = { server: { habits: { ...OPENAI_HABITS, goesOn: true } } }
const job = (more = '') => hostedJob(`limits: { deadline: 5m }\n${more}`)

/** What the run did by its rows and by the log, each call once. */
async function argumentsOf({ testApp }: HostedApp, id: string) {
  const run = await testApp.finished(id)
  const recorded = run.toolCalls.filter(({ status }) => status !== 'refused').length
  return { run, calls: recorded + run.unreported.filter(({ tool }) => tool !== null).length }
}

const cancelSchema = z.array(z.object({ id: z.string(), status: z.string(), mayGoOnUntil: z.string().nullable() }))

test('who cancels is told until when it may go on; each of its calls is shown on the run, which the report names, and no account is suspect', async () => {
  await using one = await hostedApp(`${ACTS}\nsay enough`, { ...GOES_ON, job: job() })
  const { testApp, server } = one
  const ended = Promise.withResolvers<string>()
  server.answer = () => ended.promise
  await testApp.app.worker.start()
  const id = await testApp.queue('act')
  await server.nextCall()
  const at = ['-c', testApp.world.configFile]
  const { out } = await command([...at, 'cancel', id, '--json'])
  const [cancelled] = cancelSchema.parse(JSON.parse(out))
  const run = await testApp.finished(id)
  const goesOnUntil = new Date(Date.parse(run.attempts[0]?.startedAt ?? '') + 300_000).toISOString()
  expect(cancelled).toEqual({ id, status: 'running', mayGoOnUntil: goesOnUntil })
  expect(run.attempts).toMatchObject([{ status: 'cancelled', mayGoOnUntil: goesOnUntil }])
  const words = `may go on until ${goesOnUntil}: calls that it makes then are shown on the run`
  expect((await command([...at, 'cancel', id])).out).toBe(`${id} is cancelled. But its provider, without background, ${words}.`)
  expect((await command([...at, 'logs', id])).out).toContain(words)
  ended.resolve('done')
  await until(() => server.effects.length === 4)
  const report = await audited(one.testApp)
  expect(report).toMatchObject({ unexplained: 0, recent: 0, suspects: [] })
  const { calls, run: later } = await argumentsOf(one, id)
  expect(calls).toBe(4)
  expect(later).toMatchObject({ status: 'cancelled', failure: { code: 'CANCELLED' } })
  expect(report.unreportedRuns).toMatchObject([{ runId: id, job: 'act', status: 'cancelled', lost: later.unreported.length }])
  expect(later.unreported.length).toBeGreaterThan(0)
  expect(report.unreported + report.matched).toBe(report.events)
})

test('the calls of one that goes on beyond a limit are the run’s own too', async () => {
  await using one = await hostedApp(`${ACTS}\nsay enough`, {
    server: { habits: { ...GOES_ON.server.habits, mostCalls: 'ignored' } },
    job: hostedJob('limits: { deadline: 5m, toolCalls: 1 }'),
  })
  const { testApp, server } = one
  const ended = Promise.withResolvers<string>()
  // The second one is beyond the limit: those after it come once nobody reads the answer any more.
  server.answer = () => (server.effects.length === 1 ? 'done' : ended.promise)
  const { id } = await testApp.run('act')
  ended.resolve('done')
  await until(() => server.effects.length === 4)
  const report = await audited(one.testApp)
  expect(report).toMatchObject({ unexplained: 0, recent: 0, suspects: [] })
  const { calls, run } = await argumentsOf(one, id)
  expect(calls).toBe(4)
  expect(run.status).toBe('incomplete')
  expect(report.unreportedRuns.map(({ runId }) => runId)).toEqual([id])
  expect(run.attempts[0]?.mayGoOnUntil).not.toBeNull()
})

test('nothing is said of a provider that is told to stop, or whose answer was read whole', async () => {
  await using one = await hostedApp(`${ACTS}\nsay enough`, { job: job(), background: true })
  const { testApp, server } = one
  const ended = Promise.withResolvers<string>()
  server.answer = () => ended.promise
  await testApp.app.worker.start()
  const id = await testApp.queue('act')
  await server.nextCall()
  expect((await command(['-c', testApp.world.configFile, 'cancel', id])).out).toBe(`${id} is running; its worker ends it.`)
  expect((await testApp.finished(id)).attempts).toMatchObject([{ status: 'cancelled', mayGoOnUntil: null }])
  ended.resolve('done')
  server.answer = () => 'done'
  expect((await testApp.run('act')).attempts).toMatchObject([{ status: 'succeeded', mayGoOnUntil: null }])
})

test('what was not reported before a retry stands against the end that follows, also of a run that goes on with tools of its own', async () => {
  await using one = await hostedApp('call counting__act {"n": 1}\nsay enough', { job: job() })
  const { testApp } = one
  const { db } = testApp.app
  const { id, startedAt } = await testApp.run('act')
  await query(
    db,
    `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, mcp_method, mcp_tool, allowed, reasons, matched_by, run_id)
     values ('d', 0, 'stolen', $2, 'POST', 'h', '/', '::1', 'u', 'tools/call', 'act', true, '{}', 'unreported', $1)`,
    [id, startedAt],
  )
  await query(db, `update runs set status = 'incomplete'`)
  const [local] = await query<{ definition: unknown }>(
    db,
    `select definition::jsonb || '{"delegate":"local"}' as definition from job_versions`,
  )
  const latest = [{ job: 'act', version: 'local', account: 'reports', definition: local?.definition }]
  await testApp.app.producer.wake(await retryRuns(db, { ids: [id] }, latest, someone()))
  await until(async () => (await loadRun(db, id))?.attempts[1]?.finishedAt ?? undefined)
  expect(await loadRun(db, id)).toMatchObject({
    status: 'incomplete',
    reasons: [{ code: 'CALL_UNREPORTED' }],
    endedAs: null,
    attempts: [{}, { status: 'incomplete' }],
  })
})
