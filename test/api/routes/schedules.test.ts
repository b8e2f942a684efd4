import { expect, test } from 'vitest'
import { z } from 'zod'
import { openApi } from '../../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'

const pageSchema = z.object({
  jobs: z.array(z.unknown()).optional(),
  schedules: z.array(z.unknown()).optional(),
  nextCursor: z.string().nullable(),
})
const nightly = `${WORK}schedule: { cron: "0 3 * * *", timezone: Europe/Paris }\n`

test('a pause is shown with who and why, holds queued runs, and a resume lets them go', async () => {
  await using api = await openApi({ jobs: { work: WORK, nightly }, scripts: { scripted: WORK_SCRIPT } })
  const schedules = async () => (await api.ask('GET', '/v1/schedules', { who: 'viewer' })).body
  const next = Array.from({ length: 5 }, () => expect.stringMatching(/T0[12]:00:00.000Z$/))
  const schedule = { job: 'nightly', cron: '0 3 * * *', timezone: 'Europe/Paris', lastFire: null, next }
  expect(await schedules()).toEqual({
    schedules: [{ ...schedule, words: expect.stringContaining('3:00'), paused: null }],
    nextCursor: null,
  })

  expect((await api.ask('POST', '/v1/schedules/nightly/pause', { body: { reason: 'a move' } })).body).toEqual({
    job: 'nightly',
    paused: true,
    pause: { reason: 'a move', by: 'token:operator', at: expect.any(String) },
  })
  expect((await api.ask('POST', '/v1/schedules/work/pause', { body: { reason: 'first' } })).status).toBe(200)
  expect((await api.ask('POST', '/v1/schedules/work/pause', { body: { reason: 'second' } })).status).toBe(200)
  const paused = { reason: 'a move', by: 'token:operator', at: expect.any(String) }
  expect(await schedules()).toMatchObject({ schedules: [{ paused }] })
  expect((await api.ask('GET', '/v1/jobs')).body).toMatchObject({
    faults: [],
    jobs: [
      { name: 'nightly', paused, schedule: { cron: '0 3 * * *', timezone: 'Europe/Paris' } },
      { name: 'work', paused: { reason: 'second' }, schedule: null },
    ],
  })

  await api.testApp.app.worker.start()
  const id = await api.create('work')
  await expect.poll(() => api.show(id)).toMatchObject({ status: 'queued', heldBy: 'pause work' })
  expect((await api.ask('POST', '/v1/schedules/work/resume')).body).toEqual({ job: 'work', paused: false, pause: null })
  expect((await api.ask('POST', '/v1/schedules/work/resume')).body).toEqual({ job: 'work', paused: false, pause: null })
  expect((await api.ask('GET', '/v1/jobs')).body).toMatchObject({ jobs: [{}, { paused: null }] })
  await api.testApp.app.sweeper.start()
  expect(await api.over(id)).toMatchObject({ status: 'succeeded', heldBy: null })
})

test('jobs and schedules are listed by name, a page at a time', async () => {
  const names = ['a', 'b', 'b-1', 'c', 'd']
  await using api = await openApi({
    jobs: { ...Object.fromEntries(names.map((name) => [name, nightly])), work: WORK },
    scripts: { scripted: WORK_SCRIPT },
  })
  const all = async (path: string, name: (one: unknown) => string) => {
    const pages: string[][] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await api.ask('GET', `${path}?limit=2${cursor && `&cursor=${cursor}`}`)
      const { jobs, schedules, nextCursor } = pageSchema.parse(body)
      pages.push((jobs ?? schedules ?? []).map(name))
      cursor = nextCursor
    }
    return pages
  }
  expect(await all('/v1/jobs', (one) => z.object({ name: z.string() }).parse(one).name)).toEqual([
    ['a', 'b'],
    ['b-1', 'c'],
    ['d', 'work'],
    [],
  ])
  expect(await all('/v1/schedules', (one) => z.object({ job: z.string() }).parse(one).job)).toEqual([['a', 'b'], ['b-1', 'c'], ['d']])
})
