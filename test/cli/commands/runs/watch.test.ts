import { expect, test } from 'vitest'
import { z } from 'zod'
import { cancelRun } from '../../../../src/runs/cancel.ts'
import { watchRuns } from '../../../../src/runs/follow/watch.ts'
import { openDb } from '../../../../src/store/postgres/db.ts'
import { someone } from '../../../support/actor.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { at, JOB } from '../../../support/cli/operators.ts'
import { openScreen } from '../../../support/cli/screen.ts'

test('in a pipe each run that is not over is told, then each change of one, and Ctrl-C ends it', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB, other: JOB } })
  const [id, theirs] = [await testApp.write('act'), await testApp.write('other')]
  await cancelRun(testApp.app.db, await testApp.write('act'), someone())
  const screen = openScreen(at(testApp, 'watch', '--job', 'act'))
  await screen.says(`…${id.slice(-8)} act queued`)
  await cancelRun(testApp.app.db, theirs, someone())
  const later = await testApp.write('act')
  await screen.says(`…${later.slice(-8)} act queued`)
  await cancelRun(testApp.app.db, id, someone())
  await screen.says(`…${id.slice(-8)} act cancelled CANCELLED`)
  screen.interrupt()
  expect(await screen.ended).toBe(0)
  expect(screen.err()).toBe('')
  // Neither what was over before, nor what did not change, nor what the filter does not mean.
  expect(screen.out().split('\n')).toEqual([
    expect.stringMatching(new RegExp(`^\\d\\d:\\d\\d:\\d\\dZ …${id.slice(-8)} act queued$`)),
    expect.stringMatching(new RegExp(`…${later.slice(-8)} act queued$`)),
    expect.stringMatching(new RegExp(`…${id.slice(-8)} act cancelled CANCELLED$`)),
  ])
})

test('with --json a run is a line whenever it changes', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB } })
  const id = await testApp.write('act')
  const screen = openScreen(at(testApp, 'watch', '--json'), { rows: 24 })
  await screen.says('queued')
  await cancelRun(testApp.app.db, id, someone())
  await screen.says('CANCELLED')
  screen.interrupt()
  expect(await screen.ended).toBe(0)
  const line = z.looseObject({ id: z.string(), status: z.string() })
  expect(screen.out().split('\n').map((text) => line.parse(JSON.parse(text)))).toMatchObject([{ id, status: 'queued' }, { id, status: 'cancelled' }]) // prettier-ignore
})

test('a terminal has one screen of what is under way and what ended last, as many rows as it has', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB } })
  const empty = openScreen(at(testApp, 'watch', '--status', 'notGreen'), { rows: 12, columns: 80 })
  await empty.says('There are no runs that are incomplete or failed or cancelled.')
  empty.interrupt()
  expect(await empty.ended).toBe(0)
  const ids: string[] = []
  for (let n = 0; n < 12; n++) ids.push(await testApp.write('act'))
  const [oldest = ''] = ids
  const screen = openScreen(at(testApp, 'watch'), { rows: 12, columns: 80 })
  await screen.says('12 queued')
  await cancelRun(testApp.app.db, oldest, someone())
  await screen.says('11 queued')
  screen.interrupt()
  expect(await screen.ended).toBe(0)
  const last = screen.out().slice(screen.out().lastIndexOf('all runs')).split('\n')
  expect(last[0]).toMatch(/^all runs, at \d\d:\d\d:\d\d UTC$/)
  expect(last).toHaveLength(4 + 7)
  // The oldest ended last: it is there, below newer ones that are not over.
  expect(last.at(-1)).toMatch(new RegExp(`^…${oldest.slice(-8)} +act +cancelled +CANCELLED`))
})

test('a store that does not answer is asked again', async () => {
  const db = openDb({ url: 'postgres://127.0.0.1:1/none', max: 1 })
  try {
    for await (const standing of watchRuns(db, { filter: {}, signal: AbortSignal.abort() })) expect(standing).toBeUndefined()
  } finally {
    await db.end()
  }
})
