import { openQueueBackend } from '../../../src/queue/backend.ts'
import { openDb, query } from '../../../src/store/postgres/db.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'

/** The database that those of the tests are copied from. */
export const TEMPLATE = 'nightshift_template'

/** Makes the store's tables and the queue's, so that no test has to. `url` is that of another database of the same Postgres. */
export async function makeTemplate(url: string): Promise<void> {
  const admin = openDb({ url })
  await query(admin, `create database ${TEMPLATE}`)
  await admin.end()
  const databaseUrl = url.replace(/\/nightshift$/, `/${TEMPLATE}`)
  const template = openDb({ url: databaseUrl })
  await migrate(template)
  await template.end()
  const queue = await openQueueBackend({ redisUrl: undefined, databaseUrl })
  await queue.close()
}
