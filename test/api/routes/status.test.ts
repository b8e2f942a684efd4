import { expect, test } from 'vitest'
import { ALL_JOBS } from '../../../src/core/rules/schedules/pause.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { pauseJob } from '../../../src/store/schedules/pauses.ts'
import { someone } from '../../support/actor.ts'
import { openApi } from '../../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'
import { command } from '../../support/cli/command.ts'

const nightly = `${WORK.replace(/input:.*\n/, '')}schedule: { cron: "0 3 * * *", timezone: Europe/Zurich }\n`
const testApp = { jobs: { work: WORK, strict: WORK, nightly }, scripts: { scripted: WORK_SCRIPT } }

test('the API says the same as the command: workers, runs, the last hour, the next fires, and that nothing stands', async () => {
  await using api = await openApi(testApp)
  const { app, world } = api.testApp
  await Promise.all([app.worker.start(), app.scheduler.start()])
  await api.over(await api.create('work'))
  const presence = app.createPresence('all')
  await presence.start()
  await presence.round()
  const { status, body } = await api.ask('GET', '/v1/status', { who: 'viewer' })
  expect({ status, body }).toMatchObject({
    status: 200,
    body: {
      well: true,
      drained: null,
      workers: { atWork: 1, runs: 0, slots: app.config.worker.concurrency },
      scheduler: { atWork: 1 },
      runs: [],
      ended: { runs: [{ status: 'succeeded', code: null, runs: 1 }], isCut: false },
      next: [{ job: 'nightly', timezone: 'Europe/Zurich', paused: false }],
      whole: { processes: [{ role: 'all', alive: true }], reports: { failing: [] }, suspects: [], stands: [] },
    },
  })
  const { out } = await command(['-c', world.configFile, 'status', '--json'])
  const withoutTimes = (text: string) =>
    text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '').replaceAll(/("(?:skewMs|heardAgoMs)": ?)[\d.e-]+/g, '$1 0')
  expect(JSON.parse(withoutTimes(out))).toEqual(JSON.parse(withoutTimes(JSON.stringify(body))))
})

test('for a role that is for some jobs: those, the drain, and workers in numbers, but nothing that belongs to no job', async () => {
  await using api = await openApi(testApp)
  const { db } = api.testApp.app
  await api.create('work')
  await api.create('nightly')
  await pauseJob(db, 'nightly', someone({ reason: 'hidden from others' }))
  await pauseJob(db, ALL_JOBS, someone({ reason: 'an upgrade' }))
  await query(db, "insert into bad_rows (duty, row_key, reason) values ('match', 'x', 'odd')")
  for (const who of ['viewerOfWork', 'runner', 'operatorOfWork'] as const) {
    const { body, text } = await api.ask('GET', '/v1/status', { who })
    expect(body).toMatchObject({
      well: false,
      drained: { job: '*', reason: 'an upgrade', pausedBy: 'ann' },
      pauses: [],
      workers: { atWork: 0 },
      runs: [{ state: 'paused', runs: 1 }],
      next: [],
      whole: null,
    })
    expect(text).not.toMatch(/nightly|hidden|odd/)
  }
  expect((await api.ask('GET', '/v1/status', { who: 'operator' })).body).toMatchObject({
    pauses: [{ job: 'nightly' }],
    runs: [{ state: 'paused', runs: 2 }],
    next: [{ job: 'nightly', paused: true }],
    whole: { stands: [{ check: 'processes' }, { check: 'rows' }] },
  })
  expect((await api.ask('GET', '/v1/status', { who: 'nobody' })).status).toBe(401)
})
