import { expect, test } from 'vitest'
import { noUsage, type FinalStatus } from '../../../src/core/run.ts'
import { countOf } from '../../../src/runs/queries.ts'
import { retryByFilter } from '../../../src/runs/retry.ts'
import { query, type Db } from '../../../src/store/postgres/db.ts'
import { prune } from '../../../src/store/retention.ts'
import { groupRuns } from '../../../src/store/runs/list.ts'
import { RETRYABLE, retryRuns } from '../../../src/store/runs/retry.ts'
import { finishRun, type RunEnd } from '../../../src/store/runs/finish.ts'
import { suspendRun } from '../../../src/store/runs/suspend.ts'
import { loadRun } from '../../../src/store/runs/show.ts'
import { claim, endCancelled, opened, writeRun, waitingForShop } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { someone } from '../../support/actor.ts'

const ended = (status: FinalStatus, extra: Partial<RunEnd> = {}): RunEnd => ({
  status,
  output: { rows: 1 },
  outputText: '{"rows":1}',
  outputDigest: 'sha256:out',
  searchText: 'rows',
  reasons: [{ code: 'BUDGET_TURNS', message: 'Over.' }],
  failure: null,
  usage: noUsage,
  costUsd: null,
  ...extra,
})

async function overRun(db: Db, status: FinalStatus): Promise<string> {
  const id = await writeRun(db)
  await finishRun(db, await opened(db, id), ended(status))
  return id
}

/** 10,000 runs that are over: a third failed, a third incomplete, a third green, each with an attempt that gave something. */
async function writeMany(db: Db): Promise<void> {
  await query(db, "insert into job_versions (job, version, definition) values ('work', 'sha256:1', '{}')")
  await query(
    db,
    `with made as (
       insert into runs (id, job, job_version, status, trigger, input, account, attempts, output_text, reasons, codes, started_at, finished_at)
       select 'run_' || lpad(n::text, 6, '0'), 'work', 'sha256:1', (array['failed', 'incomplete', 'succeeded'])[1 + n % 3], '{"kind":"api"}', '{}', 'reports', 1,
         to_json('text ' || n), '[{"code":"DEADLINE","message":"late"}]', '{DEADLINE}', now(), now() from generate_series(0, 9999) n returning id, status)
     insert into attempts (run_id, number, token, worker, conversation, job_version, status, finished_at)
     select id, 1, gen_random_uuid(), 'one', 1, 'sha256:1', status, now() from made`,
  )
}

test('a retry of 10,000 runs is one transaction: all that are not green are queued, with what they gave before', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await writeMany(db)
  expect(countOf(await groupRuns(db, { job: 'work', code: 'DEADLINE' }, RETRYABLE))).toBe(6667)
  const runs = await retryRuns(db, { job: 'work', code: 'DEADLINE' }, [], someone())
  expect(runs).toHaveLength(6667)
  expect(new Set(runs.map(({ round }) => round))).toEqual(new Set([2]))
  const groups =
    'select status, conversation, holds, finished_at is null as open, output_text is null as empty, count(*)::int as n, count(distinct xmin::text)::int as writes from runs group by 1, 2, 3, 4, 5 order by 1'
  expect(await query(db, groups)).toEqual([
    { status: 'queued', conversation: 2, holds: 1, open: true, empty: true, n: 6667, writes: 1 },
    { status: 'succeeded', conversation: 1, holds: 0, open: false, empty: false, n: 3333, writes: 1 },
  ])
  expect(
    await query(
      db,
      `select count(*)::int as n from attempts a where a.output_text #>> '{}' = 'text ' || ltrim(substr(a.run_id, 5), '0') and a.reasons #>> '{0,code}' = 'DEADLINE'`,
    ),
  ).toEqual([{ n: 6666 }])
  expect(await retryRuns(db, { job: 'work' }, [], someone())).toEqual([])
})

test('a retry that breaks off has queued none', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const ids = [await overRun(db, 'failed'), await overRun(db, 'failed')]
  await query(db, `alter table runs add constraint only_one check (id <> '${ids[1]}' or status <> 'queued') not valid`)
  await expect(retryRuns(db, { ids }, [{ job: 'work', version: 'sha256:2', account: 'audit', definition: {} }], someone())).rejects.toThrow(
    'only_one',
  )
  expect(await query(db, "select id from runs where status = 'queued'")).toEqual([])
  expect(await query(db, "select version from job_versions where version = 'sha256:2'")).toEqual([])
})

test.each([
  { status: 'failed', retried: true },
  { status: 'incomplete', retried: true },
  { status: 'cancelled', retried: true },
  { status: 'succeeded', retried: false },
] as const)('a run that $status is retried: $retried', async ({ status, retried }) => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await overRun(db, status)
  expect(await retryRuns(db, { ids: [id] }, [], someone())).toHaveLength(retried ? 1 : 0)
  expect((await claim(db, id)).kind).toBe(retried ? 'opened' : 'not-runnable')
})

test('a run that is queued or running is left alone', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const [queued, running] = [await writeRun(db), await writeRun(db)]
  await opened(db, running)
  expect(await retryRuns(db, {}, [], someone())).toEqual([])
  expect(await query(db, 'select conversation, holds from runs where id = any($1)', [[queued, running]])).toEqual([
    { conversation: 1, holds: 0 },
    { conversation: 1, holds: 0 },
  ])
})

test('a run that waits for a person can be retried, and one that was cancelled while it was queued', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const waiting = await writeRun(db)
  await suspendRun(db, await opened(db, waiting), waitingForShop)
  const cancelled = await writeRun(db, { expireAt: new Date(Date.now() - 1000), startAt: new Date(Date.now() + 3_600_000) })
  await endCancelled(db, cancelled)
  expect((await retryRuns(db, { ids: [waiting, cancelled] }, [], someone())).map(({ id }) => id).toSorted()).toEqual(
    [waiting, cancelled].toSorted(),
  )
  expect(await claim(db, waiting)).toMatchObject({ kind: 'opened', opened: { attempt: { number: 2 }, conversation: 2, resumed: false } })
  expect(await claim(db, cancelled)).toMatchObject({ kind: 'opened', opened: { attempt: { number: 1 }, conversation: 2, resumed: false } })
})

test('what every attempt gave stays readable, over several retries', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await writeRun(db)
  for (const text of ['first', 'second', 'third']) {
    await finishRun(db, await opened(db, id), ended('incomplete', { output: { text }, outputText: text }))
    if (text !== 'third') await retryRuns(db, { ids: [id] }, [], someone())
  }
  const run = await loadRun(db, id)
  expect(run).toMatchObject({ status: 'incomplete', output: { text: 'third' }, outputText: 'third', finishedAt: expect.any(String) })
  expect(run?.attempts).toMatchObject([
    { number: 1, output: { text: 'first' }, outputText: 'first', reasons: [{ code: 'BUDGET_TURNS' }] },
    { number: 2, output: { text: 'second' }, outputText: 'second', reasons: [{ code: 'BUDGET_TURNS' }] },
    { number: 3, output: null, outputText: null, reasons: null },
  ])
})

test('a retried run shows nothing of its old end until it has a new one', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await overRun(db, 'incomplete')
  await retryRuns(db, { ids: [id] }, [], someone())
  expect(await loadRun(db, id)).toMatchObject({
    status: 'queued',
    output: null,
    outputText: null,
    reasons: [],
    failure: null,
    finishedAt: null,
  })
  expect(await query(db, 'select codes, output_digest, cancel_requested_at from runs')).toEqual([
    { codes: [], output_digest: null, cancel_requested_at: null },
  ])
})

test('of two operators at once, each run goes to one, and its history is written once', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  await writeMany(db)
  const both = await Promise.all([retryRuns(db, { job: 'work' }, [], someone()), retryRuns(db, { status: ['failed'] }, [], someone())])
  expect(
    both
      .flat()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual([...new Set(both.flat().map(({ id }) => id))].toSorted())
  expect(both.flat()).toHaveLength(6667)
  expect(await query(db, "select distinct conversation, holds from runs where status = 'queued'")).toEqual([{ conversation: 2, holds: 1 }])
})

test('pinned keeps the definition a run had; latest takes the one of now, where the job still is', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const [work, gone] = [await writeRun(db), await writeRun(db, { job: 'gone' })]
  const latest = [{ job: 'work', version: 'sha256:2', account: 'audit', definition: { prompt: 'New.' } }]
  const versions = () => query(db, 'select job, job_version, account from runs order by job desc')
  for (const [definitions, expected] of [
    [[], { job: 'work', job_version: 'sha256:1', account: 'reports' }],
    [latest, { job: 'work', job_version: 'sha256:2', account: 'audit' }],
  ] as const) {
    for (const id of [work, gone]) await finishRun(db, await opened(db, id), ended('failed'))
    await retryRuns(db, { ids: [work, gone] }, definitions, someone())
    expect(await versions()).toEqual([expected, { job: 'gone', job_version: 'sha256:1', account: 'reports' }])
  }
  expect(await claim(db, work)).toMatchObject({ kind: 'opened', opened: { definition: { prompt: 'New.' }, jobVersion: 'sha256:2' } })
})

test('a retry through the queue goes on with a conversation of its own, and costs add up', async () => {
  const job = `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query], required: false }
retry: { attempts: 1 }
`
  await using testApp = await buildTestApp({ jobs: { act: job }, scripts: { scripted: 'truncate half' } })
  const { app, world } = testApp
  const { id, usage } = await testApp.run('act')
  await app.worker.stop()
  world.model.scripts['scripted'] = [{ kind: 'say', text: 'whole' }]
  expect(
    await retryByFilter({ db: app.db, producer: app.producer, jobs: app.jobs.jobs() }, { status: ['incomplete'] }, 'latest', someone()),
  ).toBe(1)
  expect(await app.runner.execute(id, 'again', new AbortController().signal)).toMatchObject({ kind: 'finished', status: 'succeeded' })
  const run = await loadRun(app.db, id)
  expect(run).toMatchObject({ status: 'succeeded', outputText: 'whole', attempts: [{ outputText: 'half' }, { outputText: null }] })
  expect(run?.usage.inputTokens).toBeGreaterThan(usage.inputTokens)
  expect(JSON.stringify(world.model.requests.at(-1))).not.toContain('half')
})

test('a run whose input retention took out is not retried with no input, alone or among others', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const [emptied, whole] = [await overRun(db, 'failed'), await overRun(db, 'failed')]
  await query(db, "update runs set finished_at = now() - interval '40 days' where id = $1", [emptied])
  await prune(db, { content: { failed: 30 * 86_400_000 }, metadata: {}, log: undefined })
  expect(await groupRuns(db, { ids: [emptied] }, RETRYABLE)).toEqual([])
  expect(countOf(await groupRuns(db, { job: 'work' }, RETRYABLE))).toBe(1)
  expect(await retryRuns(db, { ids: [emptied] }, [], someone())).toEqual([])
  expect(await retryRuns(db, { job: 'work' }, [], someone())).toMatchObject([{ id: whole }])
  // And its input is none, rather than an empty one.
  expect(await loadRun(db, emptied)).toMatchObject({ status: 'failed', input: null })
})

test('what an attempt gave stays in its row also when the run was retried, cancelled before a claim, and retried again', async () => {
  await using database = await createTestDatabase()
  const { db } = database
  const id = await overRun(db, 'incomplete')
  await retryRuns(db, { ids: [id] }, [], someone())
  const kept = await query(db, 'select * from attempts where run_id = $1', [id])
  expect(kept).toMatchObject([{ output: { rows: 1 }, reasons: [{ code: 'BUDGET_TURNS' }] }])
  await endCancelled(db, id)
  await retryRuns(db, { ids: [id] }, [], someone())
  expect(await query(db, 'select * from attempts where run_id = $1', [id])).toEqual(kept)
})
