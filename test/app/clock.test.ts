import { afterEach, expect, test, vi } from 'vitest'
import { listProcesses } from '../../src/store/processes.ts'
import { openApi } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

afterEach(() => void vi.useRealTimers())

/** Without a sign for zero. */
const whole = (seconds: number) => Math.round(seconds) + 0

test('a process whose clock is not the store’s says so once, in its row, in /readyz and in the metrics, and again once it is right', async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const { app, log } = api.testApp
  const presence = app.createPresence('all')
  /** The clock of this process is ahead of Postgres for a round. */
  const look = async (aheadMs: number) => {
    // oxlint-disable-next-line house/steady-clock -- it is set
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + aheadMs })
    await presence.round()
    vi.useRealTimers()
    const { status, body } = await api.ask('GET', '/readyz', { who: 'nobody' })
    const lines = log.filter((line) => line.includes('clock of this process')).length
    const metrics = await (await fetch(`${api.url}/metrics`)).text()
    const skew = Number(/^nightshift_clock_skew_seconds (.*)$/m.exec(metrics)?.[1])
    const [row] = await listProcesses(app.db)
    return { status, body, lines, seconds: whole(skew), row: whole((row?.skewMs ?? Number.NaN) / 1000) }
  }
  const state = (clock: string) => ({ checks: { store: 'ok', queue: 'ok', clock } })
  expect(await look(0)).toMatchObject({ status: 200, body: state('ok'), lines: 0, seconds: 0, row: 0 })
  expect(await look(30_000)).toMatchObject({ status: 200, body: state('off'), lines: 1, seconds: 30, row: 30 })
  expect(await look(-3_600_000)).toMatchObject({ status: 503, body: state('wrong'), lines: 2, seconds: -3600, row: -3600 })
  expect(await look(-3_600_000)).toMatchObject({ status: 503, lines: 2 })
  expect(await look(0)).toMatchObject({ status: 200, body: state('ok'), lines: 3, seconds: 0 })
})
