import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { openDb, query } from '../../../src/store/postgres/db.ts'
import type { TestDatabase } from './database.ts'

/** A fresh database without tables; dropped in the end. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const postgresUrl = inject('postgresUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  const admin = openDb({ url: postgresUrl, max: 1 })
  await query(admin, `create database ${name}`)
  const url = postgresUrl.replace(/\/nightshift$/, `/${name}`)
  const db = openDb({ url })
  return {
    db,
    url,
    async [Symbol.asyncDispose]() {
      await db.end()
      await query(admin, `drop database ${name} with (force)`)
      await admin.end()
    },
  }
}
