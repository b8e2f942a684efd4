import { afterEach, expect, inject, test, vi } from 'vitest'
import { checkQueue, checkStore } from '../../src/doctor/infrastructure.ts'
import { openDb, query } from '../../src/store/postgres/db.ts'
import { createTestDatabase } from '../support/database/database.ts'

afterEach(() => void vi.useRealTimers())

test('a clock of this machine that is not that of the store is told, in either direction', async () => {
  await using database = await createTestDatabase()
  const clock = async (aheadMs: number) => {
    // oxlint-disable-next-line house/steady-clock -- it is set
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + aheadMs })
    const findings = await checkStore(database.db, { kind: 'external', mostConnections: 1 })
    vi.useRealTimers()
    return findings.find(({ check }) => check === 'clock')
  }
  for (const aheadMs of [-3_600_000, 3_600_000])
    expect(await clock(aheadMs)).toMatchObject({
      status: 'failed',
      message: `This machine is 60 min ${aheadMs < 0 ? 'behind' : 'ahead of'} Postgres.`,
      cure: expect.stringContaining('NTP'),
    })
})

test.skipIf(inject('redisUrl') === null)('a clock of this machine that is not that of Redis is told', async () => {
  const clock = async (aheadMs: number) => {
    // oxlint-disable-next-line house/steady-clock -- it is set
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + aheadMs })
    const findings = await checkQueue(inject('redisUrl') ?? undefined, new AbortController().signal)
    vi.useRealTimers()
    return findings.filter(({ check }) => check === 'clock')
  }
  expect(await clock(0)).toEqual([])
  expect(await clock(3_600_000)).toMatchObject([{ status: 'failed', message: 'This machine is 60 min ahead of Redis.' }])
})

test('a role or database that may have fewer connections than a process opens is told, and so is the first that is refused', async () => {
  await using database = await createTestDatabase()
  const name = new URL(database.url).pathname.slice(1)
  await query(database.db, `alter database ${name} connection limit 5`)
  const findings = await checkStore(database.db, { kind: 'external', mostConnections: 40 })
  expect(findings.filter(({ status }) => status !== 'ok')).toEqual([
    {
      check: 'store',
      status: 'warning',
      message: 'Postgres lets us have 5 connections, and each process of Nightshift may open 40.',
      cure: expect.stringContaining('connection limit'),
    },
  ])
  expect((await checkStore(database.db, { kind: 'external', mostConnections: 5 })).map(({ status }) => status)).toEqual(['ok', 'ok'])
  await query(database.db, `alter database ${name} connection limit 0`)
  const other = openDb({ url: database.url, max: 1 })
  await expect(query(other, 'select 1')).rejects.toMatchObject({
    code: 'STORE_UNAVAILABLE',
    message: expect.stringContaining('too many connections'),
    cure: expect.stringMatching(/connection limit.*fewer processes/),
  })
  await other.end()
})
