import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { TEMPLATE } from './template.ts'

export interface TestDatabase extends AsyncDisposable {
  db: Db
  url: string
}

/** A fresh, migrated database of its own; dropped in the end. Copying its files costs less than half of writing them to the log, which is what Postgres does unless told. */
export const createTestDatabase = (): Promise<TestDatabase> => createDatabase(`template ${TEMPLATE} strategy file_copy`)

/** A fresh database without tables; dropped in the end. */
export const createEmptyDatabase = (): Promise<TestDatabase> => createDatabase('')

async function createDatabase(copyOf: string): Promise<TestDatabase> {
  const postgresUrl = inject('postgresUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = openDb({ url: postgresUrl, max: 1 })
  await query(admin, `create database ${name} ${copyOf}`)
  const url = postgresUrl.replace(/\/nightshift$/, `/${name}`)
  const db = openDb({ url })
  return {
    db,
    url,
    async [Symbol.asyncDispose]() {
      if (!db.ended) await db.end()
      await query(admin, `drop database ${name} with (force)`)
      await admin.end()
    },
  }
}
