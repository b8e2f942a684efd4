import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { TEMPLATE } from '../global-setup.ts'

export interface TestDatabase extends AsyncDisposable {
  db: Db
  url: string
}

/** A fresh, migrated database of its own; dropped in the end. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const postgresUrl = inject('postgresUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = openDb({ url: postgresUrl, max: 1 })
  await query(admin, `create database ${name} template ${TEMPLATE}`)
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
