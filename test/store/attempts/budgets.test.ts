import { expect, test } from 'vitest'
import { decideBudget } from '../../../src/core/rules/spending/budget.ts'
import { createBudget } from '../../../src/store/attempts/budgets.ts'
import { query } from '../../../src/store/postgres/db.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { buildTestApp } from '../../support/app/test-app.ts'

const account = { scope: 'account' as const, name: 'reports', tokens: 1000, costUsd: undefined }

test('any number of workers together stay under one ceiling', async () => {
  await using database = await createTestDatabase()
  const warnings: string[] = []
  const workers = Array.from({ length: 5 }, () =>
    createBudget({ db: database.db, ceilings: [account], warn: (text) => warnings.push(text) }),
  )
  const asked = await Promise.all(
    Array.from({ length: 30 }, (_, i) => workers[i % workers.length]?.reserve({ tokens: 100, costUsd: 0 }) ?? Promise.resolve(undefined)),
  )
  expect(asked.filter((reason) => reason === undefined)).toHaveLength(10)
  expect(new Set(asked.flatMap((reason) => (reason ? [reason.code] : [])))).toEqual(new Set(['BUDGET_TOKENS']))
  expect(warnings).toEqual(['More than 80 % of the daily tokens of account reports (1000) are spent.'])
})

test('what a turn really cost replaces its estimate, and a new day begins at nothing', async () => {
  await using database = await createTestDatabase()
  let now = new Date('2026-11-24T23:59:00Z')
  const budget = createBudget({ db: database.db, ceilings: [account], warn: () => {}, now: () => now })
  expect(await budget.reserve({ tokens: 900, costUsd: 0 })).toBeUndefined()
  expect(await budget.reserve({ tokens: 200, costUsd: 0 })).toMatchObject({ code: 'BUDGET_TOKENS' })
  await budget.charge({ tokens: 900, costUsd: 0 }, { tokens: 100, costUsd: 0 })
  expect(await budget.reserve({ tokens: 200, costUsd: 0 })).toBeUndefined()
  now = new Date('2026-11-25T00:00:00Z')
  expect(await budget.reserve({ tokens: 1000, costUsd: 0 })).toBeUndefined()
  expect(await query(database.db, 'select day::text, tokens from budget_days order by day')).toEqual([
    { day: '2026-11-24', tokens: 300 },
    { day: '2026-11-25', tokens: 1000 },
  ])
})

test('the first ceiling that would be passed is the reason, and nothing is taken from the others', () => {
  const job = { scope: 'job' as const, name: 'report', tokens: undefined, costUsd: 1 }
  const decision = decideBudget(
    [
      { ceiling: account, spent: { tokens: 10, costUsd: 0 } },
      { ceiling: job, spent: { tokens: 10, costUsd: 0.9 } },
    ],
    { tokens: 10, costUsd: 0.2 },
  )
  expect(decision).toMatchObject({ verdict: 'over', reason: { code: 'BUDGET_COST', message: expect.stringContaining('job report') } })
})

const job = `
account: reports
contract: none
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [describe_tables], repeatable: [describe_tables], minCalls: 0 }
`

test('a run over its daily ceiling answers with what it has; the next one fails before it spends a token', async () => {
  await using testApp = await buildTestApp({
    jobs: { report: job },
    scripts: { scripted: 'call labor__describe_tables {}\ncall labor__describe_tables {}\nsay never' },
    config: { budgets: { jobs: { report: { tokens: 2300 } } } },
  })
  const first = await testApp.run('report')
  expect(first).toMatchObject({
    status: 'incomplete',
    reasons: [{ code: 'BUDGET_TOKENS' }],
    outputText: expect.stringContaining('partial'),
  })
  const asked = testApp.world.model.requests.length
  expect(await testApp.run('report')).toMatchObject({ status: 'failed', failure: { code: 'BUDGET_TOKENS' } })
  expect(testApp.world.model.requests).toHaveLength(asked)
})

test('a ceiling of an account is shared by its jobs, and its warning is one line in the log', async () => {
  await using testApp = await buildTestApp({
    jobs: { one: job, two: job },
    scripts: { scripted: 'say done' },
    config: { budgets: { accounts: { reports: { tokens: 2500 } } } },
  })
  expect(await testApp.run('one')).toMatchObject({ status: 'succeeded' })
  expect(await testApp.run('two')).toMatchObject({ status: 'succeeded' })
  const lines = () => testApp.log.filter((line) => line.includes('More than 80 % of the daily tokens of account reports (2500)'))
  expect(lines().length).toBeGreaterThan(0)
  const [day] = await query<{ tokens: number }>(testApp.database.db, 'select tokens::int from budget_days')
  const spent = await query<{ n: number }>(testApp.database.db, 'select sum(input_tokens + output_tokens)::int as n from turns')
  expect(day?.tokens).toBe(spent[0]?.n)
})

test('a turn that was refused, or never sent, costs nothing of the day; one that was cut off may have cost what was taken for it', async () => {
  const scripts = { denied: 'fail 401 invalid_api_key', busy: 'always fail 503', cut: 'always cut', broken: 'always fail 500' }
  const names = Object.keys(scripts)
  const jobOf = (model: string) => `${job.replace('scripted', model)}retry: { attempts: 1 }\n`
  await using testApp = await buildTestApp({
    jobs: Object.fromEntries(names.map((name) => [name, jobOf(name)])),
    scripts,
    config: { budgets: { jobs: Object.fromEntries(names.map((name) => [name, { tokens: 100_000 }])) } },
  })
  for (const name of names) expect(await testApp.run(name), name).toMatchObject({ status: 'failed' })
  const spent = "select name, case when tokens > 0 then 'spent' else 'nothing' end as what from budget_days order by 1"
  const what = async () =>
    Object.fromEntries((await query<{ name: string; what: string }>(testApp.database.db, spent)).map((row) => [row.name, row.what]))
  expect(await what()).toEqual({ denied: 'nothing', busy: 'nothing', cut: 'spent', broken: 'spent' })
})
