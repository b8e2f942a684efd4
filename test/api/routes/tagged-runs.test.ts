import { expect, test } from 'vitest'
import { z } from 'zod'
import { query } from '../../../src/store/postgres/db.ts'
import { openApi, problem } from '../../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'

const testApp = { jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } }
const page = z.object({ runs: z.array(z.object({ id: z.string(), tags: z.record(z.string(), z.string()) })) })

test('runs have the tags that they were asked for with, and are found by them', async () => {
  await using api = await openApi(testApp)
  const [both, team, none] = [
    await api.create('work', { tags: { team: 'billing', order: 'Zürich = 4711' } }),
    await api.create('work', { tags: { team: 'billing' } }),
    await api.create('work'),
  ]
  const found = async (search: string) => page.parse((await api.ask('GET', `/v1/runs${search}`)).body).runs.map(({ id }) => id)
  expect(await found('?tag=team=billing')).toEqual([team, both])
  expect(await found(`?tag=team=billing&tag=${encodeURIComponent('order=Zürich = 4711')}`)).toEqual([both])
  expect(await found('?tag=team=sales')).toEqual([])
  expect(await found('?tag=team=billing&limit=1')).toEqual([team])
  expect(await found('')).toEqual([none, team, both])
  expect((await api.show(both)).tags).toEqual({ team: 'billing', order: 'Zürich = 4711' })
  expect((await api.show(none)).tags).toEqual({})
  const counted = await api.ask('POST', '/v1/runs/bulk-cancel', { body: { filter: { tags: { team: 'billing' } }, dryRun: true } })
  expect(counted.body).toMatchObject({ count: 2 })
})

test('a run with other input has the tags of the one that it retries', async () => {
  await using api = await openApi(testApp)
  const id = await api.create('work', { tags: { team: 'billing' } })
  const again = await api.ask('POST', `/v1/runs/${id}/retry`, { body: { input: { n: 2 } } })
  const { id: next } = z.object({ id: z.string() }).parse(again.body)
  expect(await api.show(next)).toMatchObject({ retryOf: id, tags: { team: 'billing' } })
})

test('tags are part of what an idempotency key stands for', async () => {
  await using api = await openApi(testApp)
  const headers = { 'idempotency-key': 'k' }
  await api.create('work', { tags: { team: 'billing' } }, { headers })
  const other = await api.ask('POST', '/v1/jobs/work/runs', { body: { tags: { team: 'sales' } }, headers })
  expect(problem.parse(other.body).code).toBe('IDEMPOTENCY_MISMATCH')
})

test('runs that ended are counted by the tags that the configuration names, and by no other', async () => {
  await using api = await openApi({ ...testApp, api_: { metricTags: ['team'] } })
  await api.testApp.app.worker.start()
  for (const tags of [{ team: 'billing', order: '4711' }, { team: 'billing' }, {}]) await api.over(await api.create('work', { tags }))
  const { text } = await api.ask('GET', '/metrics')
  expect(text.match(/^nightshift_tagged_runs_total.*$/gm)).toEqual([
    'nightshift_tagged_runs_total{tag="team",value="billing",outcome="succeeded"} 2',
  ])
  expect(text).not.toContain('4711')
})

test('a program of before, which knows no tags, goes on to ask for runs', async () => {
  await using api = await openApi(testApp)
  const id = await api.create('work', { tags: { team: 'billing' } })
  await query(
    api.testApp.database.db,
    `insert into runs (id, job, job_version, status, account, trigger, input)
     select 'run_' || gen_random_uuid(), job, job_version, 'queued', account, trigger, input from runs where id = $1`,
    [id],
  )
  const { runs } = page.parse((await api.ask('GET', '/v1/runs')).body)
  expect(runs.map(({ tags }) => tags)).toEqual(expect.arrayContaining([{ team: 'billing' }, {}]))
})
