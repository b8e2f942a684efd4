import pc from 'picocolors'
import { expect, test } from 'vitest'
import { spendingSchema } from '../../../../src/api/schemas/spend.ts'
import { showSpending } from '../../../../src/cli/commands/runs/spend.ts'
import { MOST_KEYS, type Spending } from '../../../../src/runs/spending/spend.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { command } from '../../../support/cli/command.ts'
import { at, JOB, json } from '../../../support/cli/operators.ts'

const spent = { runs: 12, turns: 40, inputTokens: 1_234_567, outputTokens: 34_567, costUsd: 12.3456, unpriced: 0, estimated: false }
const SPENDING: Spending = {
  since: '2026-11-22T00:00:00.000Z',
  until: '2026-11-28T03:00:00.000Z',
  by: 'job',
  rows: [
    { key: 'a-report-with-a-name-that-is-longer-than-most-\u001b[31m', ...spent },
    { key: 'weekly', ...spent, costUsd: 0.5, unpriced: 3, estimated: true },
    { key: 'free', ...spent, costUsd: null, unpriced: 40 },
  ],
  total: { ...spent, runs: 36, turns: 120, unpriced: 43, estimated: true },
  today: {
    day: '2026-11-28',
    ceilings: [
      {
        scope: 'account',
        name: 'reports',
        tokens: { most: 2_000_000, spent: 1_900_000, left: 100_000 },
        costUsd: { most: 20, spent: 1, left: 19 },
      },
      { scope: 'job', name: 'weekly', tokens: null, costUsd: { most: 5, spent: 5.25, left: 0 } },
    ],
  },
}
const show = (columns: number, spending = SPENDING) => showSpending(spending, { columns, colors: pc.createColors(false) })

test('what was spent, what of it is not known, and what is left of today stand on one screen', () => {
  expect(show(80)).toMatchInlineSnapshot(`
    "Spent from 2026-11-22 00:00:00 UTC to 2026-11-28 03:00:00 UTC:

    job                         runs  turns  tokens in  tokens out               USD
    a-report-with-a-name-that…    12     40    1234567       34567           12.3456
    weekly                        12     40   ~1234567      ~34567   at least 0.5000
    free                          12     40    1234567       34567         not known
    in all                        36    120   ~1234567      ~34567  at least 12.3456

    What 43 of 120 turns cost is not known: their model or tier has no price
    (prices: of the configuration), or nobody says what they used. Tokens with ~ are
    estimates in part.

    today (2026-11-28 UTC)            spent     most     left
    account reports            USD   1.0000       20  19.0000
    account reports         tokens  1900000  2000000   100000
    job weekly                 USD   5.2500        5   0.0000"
  `)
})

test.each([200, 120, 80, 60, 40])('at %i columns no line is longer, and no figure is cut', (columns) => {
  const text = show(columns)
  expect(text.split('\n').filter((line) => line.length > columns)).toEqual([])
  for (const figure of ['12.3456', 'at least 0.5000', 'not known', '100000', '19.0000']) expect(text).toContain(figure)
  expect(text).not.toContain('\u001b')
})

test('nothing spent, no ceilings, and ceilings that nobody knows are said', () => {
  const nothing = { ...spent, runs: 0, turns: 0, inputTokens: 0, outputTokens: 0, costUsd: null }
  const none = { ...SPENDING, rows: [], total: nothing, today: { day: '2026-11-28', ceilings: [] } }
  expect(show(80, none)).toBe(
    'Nothing was spent from 2026-11-22 00:00:00 UTC to 2026-11-28 03:00:00 UTC.\n\nNo ceiling of a day is configured (budgets: of the configuration).',
  )
  expect(show(80, { ...none, today: { day: '2026-11-28', ceilings: null } })).toMatch(/is not known while\s.*fault\.$/s)
})

test('of one job, its ceilings are said, and that those of accounts are others', () => {
  const none = { ...SPENDING, today: { day: '2026-11-28', ceilings: [] } }
  const text = showSpending(none, { columns: 200, colors: pc.createColors(false) }, 'weekly\u001b[31m')
  expect(text).toMatch(/No ceiling of a day is configured for weekly\S* \(budgets\.jobs: .*Without --job, those of accounts are shown\.$/)
  expect(text).not.toContain('\u001b')
})

test('a list that is cut says so', () => {
  const rows = Array.from({ length: MOST_KEYS }, (_, index) => ({ ...spent, key: `job-${index}` }))
  expect(show(80, { ...SPENDING, rows })).toContain('These are the 500 that cost most')
  expect(show(80, { ...SPENDING, rows: rows.slice(1) })).not.toContain('that cost most')
})

test('spend says what runs cost, or that they have no price, as GET /v1/spend does', async () => {
  await using testApp = await buildTestApp({ jobs: { act: JOB, idle: JOB }, scripts: { scripted: 'say done' } })
  await testApp.run('act')
  const { code, out, err } = await command(at(testApp, 'spend', '--by', 'caller', '--since', '1h'))
  expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/^--since is \S+Z\.$/) })
  expect(out).toMatch(/^no caller \(schedules\) +1 +1 .*not known$/m)
  expect(out).toContain('What 1 of 1 turns cost is not known: their model or tier has no price')
  expect(spendingSchema.parse(await json(testApp, 'spend', '--by', 'job'))).toMatchObject({
    by: 'job',
    rows: [{ key: 'act', runs: 1, costUsd: null, unpriced: 1 }],
  })
  expect(await json(testApp, 'spend', '--job', 'idle')).toMatchObject({ rows: [], total: { turns: 0 } })
  expect(await command(at(testApp, 'spend', '--since', '2024-01-01'))).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/366 days/),
  })
})
