import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { SPENT_BY, takeSpending, type SpendQuestion, type SpentBy } from '../../../src/runs/spending/spend.ts'
import type { Ceiling } from '../../../src/core/rules/spending/budget.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { allCeilings } from '../../../src/app/resources.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { JOB } from '../../support/cli/operators.ts'
import { endCancelled, opened, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database/database.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())
beforeEach(() => query(database.db, 'truncate runs, budget_days cascade'))

const NOW = new Date('2026-11-28T03:00:00Z')

/** A run that ended, with turns at these times, each of 100 tokens in and 10 out. */
async function ran(
  run: Parameters<typeof writeRun>[1],
  turns: readonly { at: string; costUsd: number | null; model?: string; tier?: string }[],
) {
  const { db } = database
  const id = await writeRun(db, run)
  for (const [index, { at, costUsd, model = 'small', tier = null }] of turns.entries())
    await query(
      db,
      `insert into turns (run_id, number, attempt, items, stop_reason, provider, model, tier, input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_usd, started_at, finished_at)
       values ($1, $2, 1, '[]', 'stop', 'openai', $3, $4, 100, 0, 10, 0, $5, $6, $6)`,
      [id, index + 1, model, tier, costUsd, at],
    )
  await endCancelled(db, id)
  await query(db, "update runs set created_at = '2026-11-20', finished_at = '2026-11-28T02:30:00Z' where id = $1", [id])
}

const taken = (by: SpentBy, more: Partial<SpendQuestion> = {}, ceilings: readonly Ceiling[] = []) =>
  takeSpending(database.db, { by, ...more }, ceilings, NOW)
const rows = async (by: SpentBy, more: Partial<SpendQuestion> = {}) =>
  (await taken(by, more)).rows.map(({ key, runs, turns, costUsd }) => [key, runs, turns, costUsd])

test('turns are counted by day, job, account, model and caller; what each costs most first, and days in their order', async () => {
  await ran({ job: 'weekly', account: 'one', requestedBy: 'ann' }, [
    { at: '2026-11-26T23:59:59Z', costUsd: 0.5 },
    { at: '2026-11-27T00:00:00Z', costUsd: 0.25, tier: 'flex' },
  ])
  await ran({ job: 'daily', account: 'two' }, [{ at: '2026-11-27T10:00:00Z', costUsd: 1, model: 'large', tier: 'default' }])
  expect(await rows('day')).toEqual([
    ['2026-11-26', 1, 1, 0.5],
    ['2026-11-27', 2, 2, 1.25],
  ])
  expect(await rows('job')).toEqual([['daily', 1, 1, 1], ['weekly', 1, 2, 0.75]]) // prettier-ignore
  expect(await rows('account')).toEqual([['two', 1, 1, 1], ['one', 1, 2, 0.75]]) // prettier-ignore
  expect(await rows('model')).toEqual([['openai/large', 1, 1, 1], ['openai/small', 1, 1, 0.5], ['openai/small (flex)', 1, 1, 0.25]]) // prettier-ignore
  expect(await rows('caller')).toEqual([[null, 1, 1, 1], ['ann', 1, 2, 0.75]]) // prettier-ignore
  expect((await taken('day')).total).toEqual({
    runs: 2, turns: 3, inputTokens: 300, outputTokens: 30, costUsd: 1.75, unpriced: 0, estimated: false,
  }) // prettier-ignore
})

test('a time is that of the turn: a run that went on at midnight stands in both days', async () => {
  await ran({ job: 'weekly' }, [
    { at: '2026-11-21T23:00:00Z', costUsd: 4 },
    { at: '2026-11-22T00:00:00Z', costUsd: 2 },
    { at: '2026-11-28T02:00:00Z', costUsd: 1 },
  ])
  // Today, and the six days before.
  expect(await taken('job')).toMatchObject({ since: '2026-11-22T00:00:00.000Z', until: NOW.toISOString(), total: { costUsd: 3 } })
  expect(await rows('job', { since: new Date('2026-11-21T00:00:00Z'), until: new Date('2026-11-28T02:00:00Z') })).toEqual([
    ['weekly', 1, 2, 6],
  ])
  expect(await rows('job', { since: new Date('2026-11-28T02:00:00Z') })).toEqual([['weekly', 1, 1, 1]])
})

test.each([
  ['that ends before it begins', '2026-11-28T00:00:00Z', '2026-11-27T00:00:00Z', /ends before it begins/],
  ['of more than a year', '2025-11-01T00:00:00Z', '2026-11-27T00:00:00Z', /366 days at most/],
])('a time %s is refused', async (_, since, until, message) => {
  await expect(taken('day', { since: new Date(since), until: new Date(until) })).rejects.toMatchObject({
    code: 'FILTER_INVALID',
    message: expect.stringMatching(message),
  })
})

test('what is not known is counted, and no sum hides it: no price, and answers that were not seen to their end', async () => {
  const { db } = database
  await ran({ job: 'free' }, [{ at: '2026-11-27T10:00:00Z', costUsd: null }])
  const id = await writeRun(db, { job: 'lost' })
  await opened(db, id)
  await query(db, "update runs set created_at = '2026-11-20' where id = $1", [id])
  await query(db, "update attempts set started_at = '2026-11-27T11:00:00Z' where run_id = $1", [id])
  await query(db, 'insert into unseen_answers (run_id, attempt, turn, input_tokens, output_tokens) values ($1, 1, 1, 70, 7)', [id])
  const { rows: found, total } = await taken('job', { until: new Date('2026-11-28T00:00:00Z'), since: new Date('2026-11-27T00:00:00Z') })
  expect(found).toEqual([
    { key: 'free', runs: 1, turns: 1, inputTokens: 100, outputTokens: 10, costUsd: null, unpriced: 1, estimated: false },
    { key: 'lost', runs: 1, turns: 1, inputTokens: 70, outputTokens: 7, costUsd: null, unpriced: 1, estimated: true },
  ])
  expect(total).toMatchObject({ runs: 2, costUsd: null, unpriced: 2, estimated: true })
  expect((await taken('model', { since: new Date('2026-11-20') })).rows.map(({ key }) => key)).toEqual(['openai/small', null])
})

test.each([
  ['of the first turn', [], '2026-11-26T23:50:00Z'],
  ['of a later turn', [{ number: 1, at: '2026-11-26T23:51:00Z' }], '2026-11-26T23:52:00Z'],
])(
  'an answer that was lost before midnight, %s, counts for its own day, whenever its attempt ends and another one has that turn',
  async (_, before, called) => {
    const { db } = database
    const turn = before.length + 1
    const id = await writeRun(db, { job: 'lost' })
    const wrote = (number: number, attempt: number, at: string) =>
      query(
        db,
        `insert into turns (run_id, number, attempt, items, stop_reason, model, input_tokens, cached_tokens, output_tokens, reasoning_tokens, started_at, finished_at)
         values ($1, $2, $3, '[]', 'stop', 'small', 100, 0, 10, 0, $4, $4)`,
        [id, number, attempt, at],
      )
    await opened(db, id)
    await query(db, "update runs set created_at = '2026-11-26' where id = $1", [id])
    await query(db, "update attempts set started_at = '2026-11-26T23:50:00Z' where run_id = $1", [id])
    for (const { number, at } of before) {
      await wrote(number, 1, at)
      await query(
        db,
        `insert into tool_calls (id, run_id, attempt, turn, position, call_id, server, tool, arguments, repeatable, status, started_at, finished_at)
         values (gen_random_uuid(), $1, 1, $2, 0, '"c"', 'labor', '"query"', '{}', true, 'ok', $3, $4)`,
        [id, number, at, called],
      )
    }
    await query(db, 'insert into unseen_answers (run_id, attempt, turn, input_tokens, output_tokens) values ($1, 1, $2, 70, 7)', [id, turn])
    const days = async () => (await taken('day')).rows.map(({ key, inputTokens }) => [key, inputTokens])
    const first = ['2026-11-26', before.length * 100 + 70]
    expect(await days(), 'while the attempt is open').toEqual([first])
    await query(db, "update attempts set status = 'failed', finished_at = '2026-11-27T00:05:00Z' where run_id = $1", [id])
    expect(await days(), 'after its end').toEqual([first])
    await query(
      db,
      "insert into attempts (run_id, number, token, worker, conversation, job_version, status, started_at) values ($1, 2, gen_random_uuid(), 'two', 1, 'sha256:1', 'running', '2026-11-28T01:00:00Z')",
      [id],
    )
    await wrote(turn, 2, '2026-11-28T01:00:00Z')
    expect(await days(), 'after the next attempt').toEqual([first, ['2026-11-28', 100]])
  },
)

test('a turn by a clock that is ahead or behind stands in the day that it says, and in no day less', async () => {
  const { db } = database
  await ran({ job: 'ahead' }, [{ at: '2026-11-27T00:00:20Z', costUsd: 1 }])
  await query(db, "update runs set finished_at = '2026-11-26T23:59:50Z'")
  await ran({ job: 'behind' }, [{ at: '2026-11-26T23:59:40Z', costUsd: 2 }])
  await query(db, "update runs set created_at = '2026-11-27T00:00:10Z' where job = 'behind'")
  const day = (since: string, until: string) => rows('job', { since: new Date(since), until: new Date(until) })
  expect(await day('2026-11-26', '2026-11-27')).toEqual([['behind', 1, 1, 2]])
  expect(await day('2026-11-27', '2026-11-28')).toEqual([['ahead', 1, 1, 1]])
})

test('so many days as are the most are counted, also when a moment passed since they were named', async () => {
  expect(await taken('day', { since: new Date(NOW.getTime() - 366 * 86_400_000 - 5000) })).toMatchObject({ rows: [] })
})

test('whoever sees some jobs alone sees what those spent, and their ceilings', async () => {
  await ran({ job: 'weekly' }, [{ at: '2026-11-27T10:00:00Z', costUsd: 1 }])
  await ran({ job: 'secret' }, [{ at: '2026-11-27T10:00:00Z', costUsd: 7 }])
  const ceilings = [
    { scope: 'account' as const, name: 'reports', tokens: 10, costUsd: undefined },
    ...['weekly', 'secret'].map((name) => ({ scope: 'job' as const, name, tokens: undefined, costUsd: 2 })),
  ]
  const seen = await taken('job', { jobs: ['weekly'] }, ceilings)
  expect(seen.rows.map(({ key }) => key)).toEqual(['weekly'])
  expect(seen.total.costUsd).toBe(1)
  expect(seen.today.ceilings).toEqual([{ scope: 'job', name: 'weekly', tokens: null, costUsd: { most: 2, spent: 0, left: 2 } }])
  expect((await taken('job', {}, ceilings)).today).toMatchObject({ day: '2026-11-28', ceilings: [{ name: 'reports' }, {}, {}] })
})

test('what is left is what the next turn is weighed against', async () => {
  await query(
    database.db,
    "insert into budget_days (scope, name, day, tokens, cost_usd) values ('job', 'weekly', '2026-11-28', 120, 1.5), ('job', 'weekly', '2026-11-27', 9, 9)",
  )
  const ceiling = { scope: 'job' as const, name: 'weekly', tokens: 100, costUsd: 2 }
  expect((await taken('day', {}, [ceiling])).today.ceilings).toEqual([
    { scope: 'job', name: 'weekly', tokens: { most: 100, spent: 120, left: 0 }, costUsd: { most: 2, spent: 1.5, left: 0.5 } },
  ])
})

test('what runs spent is what their ceilings count, in money and in tokens', async () => {
  const ceiling = { tokens: 10_000_000, costUsd: 1000 }
  await using testApp = await buildTestApp({
    jobs: { act: JOB, other: JOB },
    scripts: { scripted: 'call labor__query {"sql": "select 1 as one"}\nsay done' },
    config: {
      prices: { scripted: { input: 1000, cachedInput: 100, output: 2000 } },
      budgets: { accounts: { reports: ceiling }, jobs: { act: ceiling, other: ceiling } },
    },
  })
  for (const job of ['act', 'act', 'other']) expect(await testApp.run(job)).toMatchObject({ status: 'succeeded' })
  const config = loadConfig({ file: testApp.world.configFile, env: {} })
  for (const by of SPENT_BY) {
    const { rows: found, total, today } = await takeSpending(testApp.app.db, { by }, allCeilings(config))
    const counted = (name: string) => today.ceilings?.find((one) => one.name === name)
    expect(total.costUsd).toBeGreaterThan(0)
    for (const [key, spent] of [['reports', total], ...found.map((row) => [row.key, row] as const)] as const) {
      if (key !== 'reports' && by !== 'job') continue
      expect(counted(key ?? '')?.tokens?.spent, `${by} ${key}`).toBe(spent.inputTokens + spent.outputTokens)
      expect(counted(key ?? '')?.costUsd?.spent, `${by} ${key}`).toBeCloseTo(spent.costUsd ?? 0, 9)
    }
  }
})
