import { expect, test } from 'vitest'
import { query, transaction, type Db } from '../../src/store/db.ts'
import { describeBackends } from '../support/backends.ts'
import { buildHouse } from '../support/house.ts'

const job = `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query] }
`

/** Resolves with the server process that waits for a lock with a statement that begins so. */
async function blocked(db: Db, statement: string): Promise<number> {
  for (;;) {
    const [row] = await query<{ pid: number }>(
      db,
      "select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1 || '%'",
      [statement],
    )
    if (row) return row.pid
  }
}

describeBackends('the worker', ({ redisUrl }) => {
  test('takes a run again whose beginning was cut off with the store', async () => {
    await using house = await buildHouse({ redisUrl, jobs: { act: job }, scripts: { scripted: 'say done' } })
    const { app, database } = house
    const id = await house.write('act')
    await app.worker.start()
    await transaction(app.db, async (client) => {
      await query(client, 'lock table attempts in access exclusive mode')
      await app.producer.wake([{ id }])
      await query(database.db, 'select pg_terminate_backend($1)', [await blocked(database.db, 'with taken as')])
    })
    expect(await house.ended(id)).toMatchObject({ status: 'succeeded', attempts: [{ number: 1, status: 'succeeded' }] })
  })
})
