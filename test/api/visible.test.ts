import { expect, test } from 'vitest'
import { z } from 'zod'
import { openApi, problem, type Who } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const pageSchema = z.object({ runs: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullable() })
const hidden = WORK.replace('scripted', 'hidden')
const scheduled = (job: string) => `${job.replace(/input:.*\n/, '')}schedule: { cron: "0 3 1 1 *", timezone: UTC }\n`
const testApp = { jobs: { work: scheduled(WORK), hidden: scheduled(hidden) }, scripts: { scripted: WORK_SCRIPT, hidden: 'say No.' } }
/** Each role, for the job `work` alone. */
const LIMITED = ['viewerOfWork', 'runner', 'operatorOfWork'] as const

test('for a role that is for some jobs, nothing of another is there to be seen, asked for or changed', async () => {
  await using api = await openApi(testApp)
  await api.testApp.app.worker.start()
  const [mine, other] = [await api.create('work'), await api.create('hidden')]
  await Promise.all([api.over(mine), api.over(other)])
  const requests: [method: string, path: string, body: unknown][] = [
    ['GET', '/v1/runs/RUN', undefined],
    ['GET', '/v1/runs/RUN/output', undefined],
    ['GET', '/v1/runs/RUN/events', undefined],
    ['POST', '/v1/runs/RUN/cancel', undefined],
    ['POST', '/v1/runs/RUN/retry', {}],
    ['POST', '/v1/jobs/JOB/runs', {}],
    ['POST', '/v1/schedules/JOB/pause', { reason: 'x' }],
    ['POST', '/v1/schedules/JOB/resume', undefined],
  ]
  for (const who of LIMITED) {
    for (const [method, path, body] of requests) {
      const answer = (run: string, job: string) => api.ask(method, path.replace('RUN', run).replace('JOB', job), { who, body })
      const [theirs, none] = [await answer(other, 'hidden'), await answer('run_none', 'none')]
      // It is told in the words for what there is not.
      expect([theirs.status, problem.parse(theirs.body).code], `${who} ${method} ${path}`).toEqual([404, problem.parse(none.body).code])
      expect(theirs.text.replaceAll(other, 'run_none').replaceAll('hidden', 'none')).toBe(none.text)
      expect((await answer(mine, 'work')).status, `${who} ${method} ${path}`).not.toBe(404)
    }
    for (const path of [
      '/v1/runs',
      '/v1/jobs',
      '/v1/schedules',
      '/v1/runs?job=hidden',
      '/v1/runs?text=No',
      '/v1/spend?by=job&job=hidden',
    ]) {
      const { status, text } = await api.ask('GET', path, { who })
      expect([path, status, text.includes('hidden'), text.includes('work')]).toEqual([path, 200, false, !path.includes('?')])
    }
  }
})

test('an operator of some jobs retries runs of those alone', async () => {
  await using api = await openApi({
    ...testApp,
    scripts: { scripted: 'always fail 401 invalid_api_key', hidden: 'always fail 401 invalid_api_key' },
  })
  await api.testApp.app.worker.start()
  const [mine, other] = [await api.create('work'), await api.create('hidden')]
  await Promise.all([api.over(mine), api.over(other)])
  await api.testApp.app.worker.stop()
  const retry = async (filter: unknown, who: Who) =>
    (await api.ask('POST', '/v1/runs/bulk-retry', { who, body: { filter, dryRun: true } })).body
  expect(await retry({ status: ['failed'] }, 'operator')).toMatchObject({ count: 2 })
  expect(await retry({ status: ['failed'] }, 'operatorOfWork')).toMatchObject({ count: 1 })
  expect(await retry({ job: 'hidden' }, 'operatorOfWork')).toMatchObject({ count: 0 })
  // That the role is for one job does not say which runs are meant.
  expect(await retry({}, 'operatorOfWork')).toMatchObject({ code: 'FILTER_INVALID' })
  await api.ask('POST', '/v1/runs/bulk-retry', { who: 'operatorOfWork', body: { filter: { status: ['failed'] } } })
  expect([(await api.show(mine)).status, (await api.show(other)).status]).toEqual(['queued', 'failed'])
})

test('the pages of a list for some jobs are those of the whole list without the others', async () => {
  await using api = await openApi(testApp)
  const ids: string[] = []
  for (let n = 0; n < 9; n++) {
    await api.create('hidden')
    ids.unshift(await api.create('work'))
  }
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const answer = await api.ask('GET', `/v1/runs?limit=2${cursor && `&cursor=${cursor}`}`, { who: 'viewerOfWork' })
    const page = pageSchema.parse(answer.body)
    seen.push(...page.runs.map(({ id }) => id))
    cursor = page.nextCursor
  }
  expect(seen).toEqual(ids)
})
