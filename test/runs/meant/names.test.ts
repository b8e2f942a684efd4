import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { refuseUnknownNames, unknownTag, refuseUnknownNamesOfActs, type ConfiguredNames } from '../../../src/runs/meant/names.ts'
import type { RunFilter } from '../../../src/runs/queries.ts'
import { pauseJob } from '../../../src/store/schedules/pauses.ts'
import { someone } from '../../support/actor.ts'
import { writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(() => query(database.db, 'truncate runs, acts, pauses cascade'))

const NONE: ConfiguredNames = { jobs: [], definitions: [], people: [] }
const refused = (filter: RunFilter, configured: Partial<ConfiguredNames> = {}) =>
  refuseUnknownNames(database.db, filter, () => ({ ...NONE, ...configured }))

test.each<[RunFilter]>([[{ job: 'work' }], [{ requestedBy: 'ann' }], [{}]])(
  '%j that a run has is known without a look at any file',
  async (filter) => {
    await writeRun(database.db, { requestedBy: 'ann' })
    await refuseUnknownNames(database.db, filter, () => {
      throw new Error('a file was read')
    })
  },
)

test('what a file names is known without a run', async () => {
  await refused({ job: 'work', requestedBy: 'token:ops' }, { jobs: ['work'], people: ['token:ops'] })
})

test('of a name that nothing has, those are said that there are, each once, and whatever it is, it is shown as one short line', async () => {
  await writeRun(database.db, { requestedBy: 'ann' })
  await expect(refused({ job: 'x\u001b[31m\n'.repeat(100) }, { jobs: ['work'] })).rejects.toMatchObject({
    code: 'JOB_UNKNOWN',
    message: expect.not.stringMatching(/[\u001b\n]|.{400}/),
    cure: 'Known are work.',
  })
  await expect(refused({ requestedBy: 'nobody' })).rejects.toMatchObject({ code: 'FILTER_INVALID', cure: 'Known are ann.' })
  expect(await unknownTag(database.db, { tags: { team: 'a' } })).toMatchObject({ code: 'FILTER_INVALID', cure: 'There is none.' })
})

test('a token is found by its name alone', async () => {
  await expect(refused({ requestedBy: 'ops' }, { people: ['token:ops'] })).rejects.toMatchObject({ cure: 'Did you mean token:ops?' })
})

test('acts are narrowed by who did something, and who only asked for a run is known as well', async () => {
  const { db } = database
  await writeRun(db, { requestedBy: 'ann' })
  await pauseJob(db, 'work', someone({ name: 'bob', reason: 'closed' }))
  for (const by of ['ann', 'bob']) await refuseUnknownNamesOfActs(db, { by }, () => NONE)
  await expect(refuseUnknownNamesOfActs(db, { by: 'bbo' }, () => NONE)).rejects.toMatchObject({
    code: 'FILTER_INVALID',
    message: 'Nobody of the name bbo did anything to a run or a job.',
    cure: 'Did you mean bob?',
  })
  await expect(refuseUnknownNamesOfActs(db, { job: 'wrok' }, () => NONE)).rejects.toMatchObject({ cure: 'Did you mean work?' })
})

test('no name is refused with itself as the one that was meant: who only did something asked for no run, and is known', async () => {
  const { db } = database
  await pauseJob(db, 'gone', someone({ name: 'bob', reason: 'closed' }))
  await refused({ requestedBy: 'bob' })
  await expect(refused({ requestedBy: 'bbo' })).rejects.toMatchObject({ cure: 'Did you mean bob?' })
})

test('a job that is gone with its runs is known by what was done to it', async () => {
  const { db } = database
  await pauseJob(db, 'gone', someone({ name: 'bob', reason: 'closed' }))
  await pauseJob(db, '*', someone({ name: 'bob', reason: 'closed' }))
  await refuseUnknownNamesOfActs(db, { job: 'gone' }, () => NONE)
  await refused({ job: 'gone' })
  await expect(refuseUnknownNamesOfActs(db, { job: 'gnoe' }, () => NONE)).rejects.toMatchObject({ cure: 'Did you mean gone?' })
  await expect(refused({ job: '*' })).rejects.toMatchObject({ code: 'JOB_UNKNOWN', cure: 'Known are gone.' })
})
