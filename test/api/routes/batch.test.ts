import { expect, test } from 'vitest'
import { z } from 'zod'
import { query } from '../../../src/store/postgres/db.ts'
import { batchResultSchema } from '../../../src/api/schemas/batch.ts'
import { openApi, type Api, type Ask } from '../../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'

const testApp = { jobs: { work: WORK, other: WORK }, scripts: { scripted: WORK_SCRIPT } }

async function batch(api: Api, runs: unknown[], ask: Ask = {}) {
  const { status, body } = await api.ask('POST', '/v1/runs:batch', { ...ask, body: { runs } })
  expect(status).toBe(200)
  return batchResultSchema.parse(body)
}
const countRuns = async (api: Api) =>
  z.tuple([z.object({ n: z.int() })]).parse(await query(api.testApp.database.db, 'select count(*)::int as n from runs'))[0].n

test('each run of a batch is taken or refused for itself, in its place', async () => {
  await using api = await openApi(testApp)
  const { results, queued } = await batch(
    api,
    [
      { job: 'work', key: 'a', input: { n: 1 }, tags: { team: 'billing' }, priority: 'high' },
      { job: 'work', input: { n: 'one' } },
      { job: 'nothing', key: 'c' },
      { job: 'other' },
      { job: 'work', key: 'a', input: { n: 2 } },
      { job: 'work', key: 'a', input: { n: 1 }, tags: { team: 'billing' }, priority: 'high' },
    ],
    { who: 'runner' },
  )
  expect(queued).toBe(1)
  expect(results.map(({ key, run, problem }) => [key, run?.status ?? problem?.code])).toEqual([
    ['a', 'queued'],
    [null, 'INPUT_INVALID'],
    ['c', 'JOB_UNKNOWN'],
    [null, 'JOB_UNKNOWN'],
    ['a', 'IDEMPOTENCY_MISMATCH'],
    ['a', 'queued'],
  ])
  expect(results[5]).toMatchObject({ run: results[0]?.run, replayed: true })
  expect(await api.show(results[0]?.run?.id ?? '')).toMatchObject({
    input: { n: 1 },
    tags: { team: 'billing' },
    requestedBy: 'token:runner',
  })
  expect(await countRuns(api)).toBe(1)
})

test('an entry that is not as the document says is refused in its place, and the others are taken', async () => {
  await using api = await openApi(testApp)
  const entries: [entry: unknown, key: string | null, field: string][] = [
    [{ job: 'work', key: 'b', tags: { ticket: 5 } }, 'b', 'body.runs.1.tags.ticket'],
    [{ job: 'work', key: 'two words' }, null, 'body.runs.2.key'],
    [{ key: 'd' }, 'd', 'body.runs.3.job'],
    ['work', null, 'body.runs.4'],
    [null, null, 'body.runs.5'],
    [{ job: 'work', key: 'g', inputs: {} }, 'g', 'body.runs.6.inputs'],
    [{ job: 'work', key: 'h', startAt: '2026-12-02T00:00:00Z', expireAt: '2026-12-01T00:00:00Z' }, 'h', 'body.runs.7.expireAt'],
  ]
  const { results, queued } = await batch(api, [{ job: 'work', key: 'a' }, ...entries.map(([entry]) => entry), { job: 'work', key: 'z' }])
  expect(results.map(({ key, run, problem }) => [key, run?.status ?? problem?.code, problem?.errors?.[0]?.field])).toEqual([
    ['a', 'queued', undefined],
    ...entries.map(([, key, field]) => [key, 'REQUEST_INVALID', field]),
    ['z', 'queued', undefined],
  ])
  expect([queued, await countRuns(api)]).toEqual([2, 2])
})

test('a thousand runs are asked for in one request, and sent again they are the same', { timeout: 60_000 }, async () => {
  await using api = await openApi(testApp)
  const asked = Array.from({ length: 1000 }, (_, n) => ({ job: 'work', key: `k${n}`, input: { n } }))
  const first = await batch(api, asked)
  expect([first.queued, await countRuns(api)]).toEqual([1000, 1000])
  const again = await batch(api, asked)
  expect([again.queued, await countRuns(api)]).toEqual([0, 1000])
  expect(again.results.map(({ run, replayed }) => [run, replayed])).toEqual(first.results.map(({ run }) => [run, true]))
})

test('what does not fit into the queue any more is told so, and the rest is queued', async () => {
  await using api = await openApi({ ...testApp, api_: { maxQueued: 5, sharePercent: 100 } })
  const { results, queued } = await batch(
    api,
    Array.from({ length: 8 }, () => ({ job: 'work' })),
  )
  expect(queued).toBe(5)
  expect(results.filter(({ problem }) => problem?.code === 'QUEUE_FULL')).toHaveLength(3)
  expect(await countRuns(api)).toBe(5)
})

test('two batches with the same keys, in whatever order and at the same time, queue each run once', async () => {
  await using api = await openApi(testApp)
  const asked = Array.from({ length: 60 }, (_, n) => ({ job: 'work', key: `k${n}`, input: { n } }))
  const batches = await Promise.all([batch(api, asked), batch(api, asked.toReversed()), batch(api, asked.slice(30))])
  const idsOf = (results: (typeof batches)[number]['results']) => results.map(({ run }) => run?.id)
  const [one, other, half] = batches.map(({ results }) => idsOf(results))
  expect([one, half]).toEqual([other?.toReversed(), one?.slice(30)])
  expect([batches.reduce((sum, { queued }) => sum + queued, 0), await countRuns(api)]).toEqual([60, 60])
})
