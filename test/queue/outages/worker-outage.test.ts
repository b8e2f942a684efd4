import { firstWake } from '../../../src/core/ports/wake.ts'
import { expect, test } from 'vitest'
import { query, transaction, type Db } from '../../../src/store/postgres/db.ts'
import { describeBackends } from '../../support/app/backends.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { until } from '../../support/until.ts'

const job = `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query], minCalls: 0 }
`

/** Resolves with the server process that waits for a lock with a statement that begins so. */
const blocked = (db: Db, statement: string): Promise<number> =>
  until(async () => {
    const [row] = await query<{ pid: number }>(
      db,
      "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1 || '%'",
      [statement],
    )
    return row?.pid
  })

describeBackends('the worker', ({ redisUrl }) => {
  test('takes a run again whose beginning was cut off with the store', async () => {
    await using testApp = await buildTestApp({ redisUrl, jobs: { act: job }, scripts: { scripted: 'say done' } })
    const { app, database } = testApp
    const id = await testApp.write('act')
    await app.worker.start()
    await transaction(app.db, async (client) => {
      await query(client, 'lock table attempts in access exclusive mode')
      await app.producer.wake([firstWake(id)])
      await query(database.db, 'select pg_terminate_backend($1)', [await blocked(database.db, 'with taken as')])
    })
    expect(await testApp.ended(id)).toMatchObject({ status: 'succeeded', attempts: [{ number: 1, status: 'succeeded' }] })
  })
})
