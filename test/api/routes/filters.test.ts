import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { actSchema } from '../../../src/api/schemas/acts.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { pauseJob } from '../../../src/store/schedules/pauses.ts'
import { someone } from '../../support/actor.ts'
import { openApi, problem, type Api, type Who } from '../../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'

let api: Api
/** Of `work`, one that ended on each day, of `other` one that ended on the second, and one of `work` that goes on. */
let first: string, second: string, other: string, open: string
const stack = new AsyncDisposableStack()

beforeAll(async () => {
  api = stack.use(await openApi({ jobs: { work: WORK, other: WORK }, scripts: { scripted: WORK_SCRIPT } }))
  const ended = async (job: string, at: string) => {
    const id = await api.create(job, { tags: { team: 'billing' } }, { who: 'runsAll' })
    await api.ask('POST', `/v1/runs/${id}/cancel`, { who: 'operator', body: { reason: 'not now' } })
    await query(
      api.testApp.database.db,
      "update runs set created_at = $2::timestamptz - interval '1 minute', finished_at = $2 where id = $1",
      [id, at],
    )
    return id
  }
  first = await ended('work', '2026-11-26T10:00:00Z')
  second = await ended('work', '2026-11-27T10:00:00Z')
  other = await ended('other', '2026-11-27T11:00:00Z')
  open = await api.create('work')
  await api.ask('POST', '/v1/schedules/work/pause', { who: 'operator', body: { reason: 'x' } })
})
afterAll(() => stack.disposeAsync())

const runs = async (search: string, who: Who = 'viewer') => {
  const { status, body } = await api.ask('GET', `/v1/runs?${search}`, { who })
  expect(status, search).toBe(200)
  return z
    .object({ runs: z.array(z.object({ id: z.string() })) })
    .parse(body)
    .runs.map(({ id }) => id)
}
const acts = async (search: string, who: Who = 'viewer') => {
  const { status, body } = await api.ask('GET', `/v1/acts?${search}`, { who })
  expect(status, search).toBe(200)
  return z.object({ acts: z.array(actSchema) }).parse(body).acts
}

const DAY = 'endedSince=2026-11-27T00:00:00Z'
test('runs are found by when they ended, from a time on and up to another: one that goes on did not end', async () => {
  expect(await runs(DAY)).toEqual([other, second])
  expect(await runs('endedUntil=2026-11-27T00:00:00Z')).toEqual([first])
  // A time is of those from it on, and not of those before it.
  expect(await runs('endedSince=2026-11-27T10:00:00Z&endedUntil=2026-11-27T11:00:00Z')).toEqual([second])
  expect(await runs(`endedSince=${encodeURIComponent('2026-11-27T13:00:00+02:00')}`)).toEqual([other])
  expect(await runs(`${DAY}&job=work`)).toEqual([second])
  expect(await runs(`${DAY}&endedUntil=2026-11-26T00:00:00Z`)).toEqual([])
  expect(await runs('')).toEqual([open, other, second, first])
  expect(await runs(`${DAY}&limit=1&cursor=${other}`)).toEqual([second])
  expect(await runs(DAY, 'viewerOfWork')).toEqual([second])
})

test.each(['/v1/runs?endedSince=', '/v1/runs?endedUntil=', '/v1/acts?since=', '/v1/spend?since='])(
  '%s takes a time with its zone alone',
  async (path) => {
    for (const time of ['', 'yesterday', '2026-11-27', '2026-11-27T10:00:00', '7d', '0001-01-01T00:00:00Z', '%00'])
      expect(problem.parse((await api.ask('GET', `${path}${time}`, { who: 'viewer' })).body).code, time).toBe('REQUEST_INVALID')
  },
)

test('a bulk request means runs by when they ended', async () => {
  const count = async (filter: unknown, who: Who = 'operator', kind = 'retry') =>
    (await api.ask('POST', `/v1/runs/bulk-${kind}`, { who, body: { filter, dryRun: true } })).body
  expect(await count({ endedSince: '2026-11-27T00:00:00Z' })).toMatchObject({ count: 2 })
  expect(await count({ endedSince: '2026-11-27T00:00:00Z' }, 'operatorOfWork')).toMatchObject({ count: 1 })
  expect(await count({ endedUntil: '2026-11-27T00:00:00Z', job: 'work' })).toMatchObject({ count: 1, groups: [{ job: 'work', runs: 1 }] })
  // What can be cancelled did not end.
  expect(await count({ endedSince: '2020-01-01T00:00:00Z' }, 'operator', 'cancel')).toMatchObject({ count: 0 })
})

const done = async (search: string, who?: Who) => (await acts(search, who)).map(({ act, jobs }) => `${act} ${jobs.join()}`)

test('acts are found by job and by run', async () => {
  expect(await done('')).toEqual(['pause work', 'cancel other', 'cancel work', 'cancel work'])
  expect(await done('job=work')).toEqual(['pause work', 'cancel work', 'cancel work'])
  expect(await done('job=other&by=token:operator')).toEqual(['cancel other'])
  expect(await done(`run=${second}`)).toEqual(['cancel work'])
  expect(await done(`run=${second}&job=other`)).toEqual([])
  expect(await done('job=work&limit=1')).toEqual(['pause work'])
  for (const search of [`run=${other}`, 'job=other']) expect(await done(search, 'viewerOfWork'), search).toEqual([])
})

// To a caller who may not see it, what there is and what there is not are one.
test.each<[who: Who]>([['viewer'], ['viewerOfWork']])('a name that nothing has means nothing, to %s', async (who) => {
  for (const search of ['job=wrok', 'requestedBy=nobody', 'tool=labor.none', 'tag=team=none', 'job=%F0%9F%8C%99', 'job=*'])
    expect(await runs(search, who), search).toEqual([])
  for (const search of ['job=wrok', 'run=run_none', 'run=latest', 'by=nobody']) expect(await acts(search, who), search).toEqual([])
  const spent = await api.ask('GET', '/v1/spend?by=job&job=wrok', { who })
  expect(spent.body).toMatchObject({ rows: [], total: { turns: 0 }, today: { ceilings: [] } })
})

test('a bulk request with a name that nothing has changes nothing, and says so', async () => {
  for (const filter of [{ job: 'wrok' }, { requestedBy: 'nobody' }, { tool: 'labor.none' }, { tags: { team: 'none' } }])
    for (const kind of ['retry', 'cancel'])
      expect((await api.ask('POST', `/v1/runs/bulk-${kind}`, { who: 'operator', body: { filter } })).body, kind).toEqual({
        count: 0,
        dryRun: false,
        groups: [],
      })
})

test('no name that a filter takes brings the store to an error', async () => {
  for (const path of [
    '/v1/runs?job=',
    '/v1/runs?requestedBy=',
    '/v1/runs?tool=',
    '/v1/runs?text=',
    '/v1/acts?job=',
    '/v1/acts?run=',
    '/v1/acts?by=',
    '/v1/spend?job=',
  ])
    for (const name of ['%00', 'a%00b', '%ED%A0%80', "'", '%25', '\\', '{a,b}', 'null', '"', 'a'.repeat(100), ''])
      expect([200, 400], `${path}${name}`).toContain((await api.ask('GET', `${path}${name}`, { who: 'viewer' })).status)
})

test('what was done to all jobs was done to each, for whoever may see all', async () => {
  await pauseJob(api.testApp.database.db, '*', someone({ reason: 'moved' }))
  expect(await done('job=other')).toEqual(['pause *', 'cancel other'])
  expect(await done('job=work', 'viewerOfWork')).toEqual(['pause work', 'cancel work', 'cancel work'])
})
