import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createApp } from '../../src/app/app.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { someone } from '../support/actor.ts'

const job = (account: string) => `
account: ${account}
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query], minCalls: 0 }
retry: { attempts: 1 }
`

const build = () => buildTestApp({ jobs: { work: job('reports') }, scripts: { scripted: 'say done' } })

/** A worker of another version of the configuration: it has another account in place of the one that the jobs name. */
async function withoutAccount({ app, dir }: TestApp) {
  const { reports, ...others } = app.config.accounts
  if (!reports) throw new Error('no account reports')
  const config = { ...app.config, accounts: { ...others, elsewhere: reports } }
  return createApp({ config, log: pino({ level: 'silent' }), queuePrefix: dir.slice(dir.lastIndexOf('/') + 1) })
}

/** The definition of every job, as a later version may have written it. */
const rewrite = (db: Db, change: object) =>
  query(db, 'update job_versions set definition = (definition::jsonb || $1::jsonb)::json', [change])

const left = (what: RegExp) => ({
  status: 'queued',
  failure: { code: 'WORKER_UNFIT', message: expect.stringMatching(what) },
  attempts: [{ status: 'failed', failure: { code: 'WORKER_UNFIT' } }],
})

test('a run whose account a worker does not have is left to one that has it, and says so meanwhile', async () => {
  await using testApp = await build()
  const { app } = testApp
  {
    await using other = await withoutAccount(testApp)
    await other.worker.start()
    const id = await testApp.queue('work')
    await expect.poll(() => loadRun(app.db, id)).toMatchObject(left(/needs the account reports, which this worker does not have/))
    await other.worker.stop()
  }
  await app.worker.start()
  const [{ id } = { id: '' }] = await query<{ id: string }>(app.db, 'select id from runs')
  expect(await testApp.ended(id)).toMatchObject({
    status: 'succeeded',
    failure: null,
    attempts: [{ failure: { code: 'WORKER_UNFIT' } }, { status: 'succeeded' }],
  })
})

test('a run with a limit in money is left to a worker that knows what its model costs', async () => {
  await using testApp = await buildTestApp({
    jobs: { work: `${job('reports')}limits: { costUsd: 1 }\n` },
    scripts: { scripted: 'say done' },
    config: { prices: { scripted: { input: 1, cachedInput: 1, output: 1 } } },
  })
  const { app, dir } = testApp
  const config = { ...app.config, prices: {} }
  await using other = await createApp({ config, log: pino({ level: 'silent' }), queuePrefix: dir.slice(dir.lastIndexOf('/') + 1) })
  const id = await testApp.write('work')
  expect(await other.runner.execute(id, 'one', new AbortController().signal)).toMatchObject({ kind: 'retry' })
  expect(await loadRun(app.db, id)).toMatchObject(left(/needs a price of the model scripted, which this worker does not have/))
  expect(testApp.world.model.requests).toEqual([])
  await query(app.db, 'update runs set next_attempt_at = null')
  expect(await app.runner.execute(id, 'two', new AbortController().signal)).toMatchObject({ kind: 'finished', status: 'succeeded' })
})

test('a run that a later version defined is left to a worker that can read it, though the job allows one attempt', async () => {
  await using testApp = await build()
  const { app } = testApp
  const id = await testApp.write('work')
  await rewrite(app.db, { delegate: 'of-a-later-version' })
  for (let unfit = 1; unfit <= 3; unfit++) {
    expect(await app.runner.execute(id, `queue-${unfit}`, new AbortController().signal)).toMatchObject({ kind: 'retry' })
    expect(await query(app.db, 'select attempts, next_attempt_at > now() as later from runs')).toEqual([{ attempts: unfit, later: true }])
    await query(app.db, 'update runs set next_attempt_at = now()')
  }
  expect(await loadRun(app.db, id)).toMatchObject({ ...left(/which this version of Nightshift cannot read/), attempts: [{}, {}, {}] })
  await rewrite(app.db, { delegate: 'local' })
  const upgraded = await testApp.replica()
  expect(await upgraded.runner.execute(id, 'queue-4', new AbortController().signal)).toMatchObject({
    kind: 'finished',
    status: 'succeeded',
  })
})

test('a run that no version here can read is given up in the end, and can be cancelled, and expires', async () => {
  await using testApp = await build()
  const { app } = testApp
  const ids = [await testApp.write('work'), await testApp.write('work'), await testApp.write('work')]
  await rewrite(app.db, { delegate: 'of-a-later-version' })
  const [first = '', second = '', third = ''] = ids
  const execute = (id: string, queueJobId: string) => app.runner.execute(id, queueJobId, new AbortController().signal)
  let tries = 0
  for (let kind = 'retry'; kind === 'retry'; tries++) {
    kind = (await execute(first, `queue-${tries}`)).kind
    await query(app.db, 'update runs set next_attempt_at = null where id = $1', [first])
  }
  expect(tries).toBe(18)
  expect(await loadRun(app.db, first)).toMatchObject({
    status: 'failed',
    failure: { code: 'WORKER_UNFIT', cure: expect.stringContaining('are used up: nightshift retry') },
  })
  expect(await cancelRun(app.db, second, someone())).toBe('cancelled')
  await query(app.db, 'update runs set expire_at = now() where id = $1', [third])
  expect(await execute(third, 'late')).toMatchObject({ kind: 'finished', status: 'failed' })
  expect(await loadRun(app.db, third)).toMatchObject({ failure: { code: 'EXPIRED' } })
})
