import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDb, type Db } from '../../src/store/postgres/db.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'
import { explained } from '../support/database/explained.ts'
import { fillStore } from '../support/database/large-store.ts'
import { MOST_PAGES, storeCalls } from '../support/database/store-calls.ts'

const RUNS = 40_000
const CALLS = storeCalls(RUNS)

/** Asked for by a person who can wait, or once a day: read as much as there is. */
const READS_ALL = [
  'accountUse',
  'addCheckpoint',
  'countEvents',
  'countLogFields',
  'countMissing',
  'countPrunable',
  'countRuns',
  'countUncheckpointed',
  'findSignedRun',
  'findUncovered',
  'listUncheckpointed',
  'listUnlisted',
  'listUnreportedRuns',
  'loadDocuments',
  'loadNewRecords',
  'loadRecords',
  'oldestLine',
  'settledLines',
]

let database: TestDatabase
let pool: Db
beforeAll(async () => {
  database = await createTestDatabase()
  const filler = openDb({ url: database.url, max: 2, timeouts: { statementMs: 120_000 } })
  await fillStore(filler, RUNS)
  await filler.end()
  pool = openDb({ url: database.url, max: 1, timeouts: { statementMs: 120_000 } })
}, 600_000)
afterAll(async () => {
  await pool.end()
  await database[Symbol.asyncDispose]()
})

test.each(Object.entries(CALLS))('%s touches few pages of a large store', async (_, { call, pages = MOST_PAGES }) => {
  const touched = await explained(pool, call)
  expect(touched.length).toBeGreaterThan(0)
  expect(touched.filter((one) => one.pages > pages)).toEqual([])
})

test('every question that the store answers is asked here', () => {
  const root = join(import.meta.dirname, '../../src/store')
  const asked = globSync('**/*.ts', { cwd: root })
    .filter((file) => !file.startsWith('postgres/'))
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/export async function (\w+)\(\s*(?:db|client): /g)].map(
        ([, name]) => name ?? '',
      ),
    )
  expect(asked.length).toBeGreaterThan(50)
  expect(asked.toSorted()).toEqual([...Object.keys(CALLS), ...READS_ALL].toSorted())
})
