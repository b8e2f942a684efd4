import { expect, test } from 'vitest'
import { cancelRun } from '../../../src/runs/cancel.ts'
import { createRunStates } from '../../../src/runs/follow/states.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { WORK } from '../../support/app/jobs.ts'
import { someone } from '../../support/actor.ts'

test('however many ask at once how runs stand, the store is asked once, and each is told of their own', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK }, scripts: { scripted: 'say Done.' } })
  const { db } = testApp.database
  const ids = [await testApp.write('work'), await testApp.write('work')]
  let asked = 0
  db.on('acquire', () => asked++)
  const states = createRunStates(db)
  const told = await Promise.all(Array.from({ length: 300 }, (_, n) => states.of(n === 0 ? 'run_none' : (ids[n % 2] ?? ''))))
  expect(asked).toBe(1)
  expect(told[0]).toBeUndefined()
  expect(new Set(told.slice(1).map((state) => state?.status))).toEqual(new Set(['queued']))
  // Who asks later is told what is so then.
  await cancelRun(db, ids[0] ?? '', someone())
  expect(await states.of(ids[0] ?? '')).toMatchObject({ status: 'cancelled' })
})

test('a store that does not answer is told to all who asked, and the next question is a new one', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK }, scripts: { scripted: 'say Done.' } })
  const id = await testApp.write('work')
  const { db } = testApp.database
  const states = createRunStates(db)
  await db.query('alter table turns rename to away')
  expect(await Promise.allSettled([states.of(id), states.of(id)])).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
  await db.query('alter table away rename to turns')
  expect(await states.of(id)).toMatchObject({ status: 'queued' })
})
