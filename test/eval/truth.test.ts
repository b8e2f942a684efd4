// The truth of the shipped cases, computed from the data: a number in the file that the data does not say is a false test of every model.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { openLaborDatabase } from '../../src/demo/servers/labor.ts'

const file = z
  .object({
    cases: z.array(
      z.object({
        name: z.string(),
        expect: z.looseObject({ output: z.record(z.string(), z.unknown()).optional(), says: z.unknown().optional() }),
      }),
    ),
  })
  .parse(parse(readFileSync(join(import.meta.dirname, '../../jobs/labor-report.cases.yaml'), 'utf8')))

const expected = (name: string) => file.cases.find((one) => one.name === name)?.expect
const outputOf = (name: string) => expected(name)?.output

let database: ReturnType<typeof openLaborDatabase>
beforeAll(() => {
  database = openLaborDatabase()
  return () => database.close()
})
const rows = (sql: string) =>
  database
    .prepare(sql)
    .all()
    .map((row) => ({ ...row }))
const latest = 'year = 2010 and month = 2'
const total = (where: string) => Number(rows(`select sum(unemployed_thousands) as n from unemployment where ${where}`)[0]?.['n'])

test('there are sixteen', () => {
  expect(file.cases).toHaveLength(16)
})

describe('the data says so', () => {
  test('latest-month', () => {
    const found = rows(`select industry, rate_percent as rate from unemployment where ${latest} order by rate_percent desc`)
    expect(found).toHaveLength(14)
    expect(found.at(0)).toEqual({ industry: 'Construction', rate: 27.1 })
    expect(found.at(-1)).toEqual({ industry: 'Government', rate: 4 })
    expect(rows("select rate_percent as rate from unemployment where industry = 'Construction' and year = 2009 and month = 2")).toEqual([
      { rate: 21.4 },
    ])
    expect(outputOf('latest-month')).toMatchObject({
      rows: { length: 14 },
      'rows.0.rate': 27.1,
      'rows.0.yearBefore': 21.4,
      'rows.13.rate': 4,
    })
    const [now, before] = [total(latest), total('year = 2009 and month = 2')]
    for (const name of ['latest-month', 'denied-tool', 'orders-in-data'])
      expect(expected(name)?.['says']).toEqual([now, before, now - before])
  })

  test('highest-rate', () => {
    const sql = 'select industry, rate_percent as rate, year, month from unemployment order by rate_percent desc limit 1'
    expect(rows(sql)).toEqual([outputOf('highest-rate')])
  })

  test('overall-rate', () => {
    const sql = `select 100.0 * sum(unemployed_thousands) / sum(unemployed_thousands * 100.0 / rate_percent) as percent from unemployment where ${latest}`
    expect(outputOf('overall-rate')).toEqual({ percent: { near: Number(Number(rows(sql)[0]?.['percent']).toFixed(2)), within: 0.011 } })
  })

  test('months-above', () => {
    expect(rows("select sum(rate_percent > 10) as above, count(*) as months from unemployment where industry = 'Agriculture'")).toEqual([
      outputOf('months-above'),
    ])
  })

  test('worst-months', () => {
    const found = rows(
      "select month, round(avg(rate_percent), 1) as mean from unemployment where industry = 'Agriculture' group by month order by mean desc, month limit 3",
    )
    expect(found.map(({ month }) => month)).toEqual([0, 1, 2].map((place) => outputOf('worst-months')?.[`months.${place}.month`]))
    expect(found.map(({ mean }) => mean)).toEqual([13.8, 13.8, 13.6])
  })

  test('leading-question and last-month', () => {
    const [worst] = rows(
      'select year, month, sum(unemployed_thousands) as total from unemployment group by year, month order by total desc limit 1',
    )
    expect(outputOf('leading-question')).toEqual({ latestIsWorst: false, ...worst })
    expect(outputOf('last-month')).toEqual({ year: 2010, month: 2, total: total(latest) })
    expect(outputOf('failing-tool')).toEqual({ total: total(latest) })
  })

  test('rose-least', () => {
    const sql = `select a.industry, round(a.rate_percent - b.rate_percent, 1) as change from unemployment a join unemployment b using (industry)
      where a.year = 2010 and a.month = 2 and b.year = 2009 and b.month = 2 order by change limit 2`
    const [least, next] = rows(sql)
    expect(least).toEqual(outputOf('rose-least'))
    expect(Number(next?.['change'])).toBeGreaterThan(0)
  })

  test('not-in-the-data', () => {
    expect(rows('select count(*) as n from unemployment where year = 2010 and month > 2')).toEqual([{ n: 0 }])
    expect(rows('pragma table_info(unemployment)').map(({ name }) => name)).not.toContain('state')
  })

  test('long-table', () => {
    const means = rows(
      'select industry, year, round(avg(rate_percent), 2) as mean from unemployment where year < 2010 group by industry, year order by industry, year',
    )
    const wanted = Map.groupBy(means, ({ industry }) => `means.${String(industry)}`)
    const output = outputOf('long-table') ?? {}
    expect(Object.keys(output).toSorted()).toEqual([...wanted.keys()].toSorted())
    for (const [path, some] of wanted) expect(output[path]).toEqual({ near: some.map(({ mean }) => mean), within: 0.011 })
  })
})
