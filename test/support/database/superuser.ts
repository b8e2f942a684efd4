import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { openDb, query } from '../../../src/store/postgres/db.ts'

const settingsSchema = z.looseObject({ password: z.string() })

/** The address of the embedded Postgres in a directory for its superuser, whom Nightshift itself is not. */
export function superuserUrl(dir: string, url: string): string {
  const { password } = settingsSchema.parse(JSON.parse(readFileSync(join(dir, 'settings.json'), 'utf8')))
  return url.replace(/\/\/[^@]+@/, `//postgres:${password}@`)
}

/** Lets Nightshift's role make databases, and drop them: each test has one of its own. One in which autovacuum is at work, as the superuser, could not be dropped. */
export async function letMakeDatabases(dir: string, url: string): Promise<void> {
  const db = openDb({ url: superuserUrl(dir, url), max: 1 })
  await query(db, 'alter role nightshift createdb')
  await query(db, 'alter system set autovacuum = off')
  await query(db, 'select pg_reload_conf()')
  await db.end()
}
