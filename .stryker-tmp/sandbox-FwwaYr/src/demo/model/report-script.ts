// @ts-nocheck
import { z } from 'zod'
import { script, type Step } from './script.ts'

const rowsSchema = z.object({ rows: z.array(z.record(z.string(), z.union([z.string(), z.number()]))) })

const rowsOf = (result: string | undefined) => rowsSchema.parse(JSON.parse(result ?? '{"rows":[]}')).rows

const LATEST = '(select max(year * 100 + month) from unemployment)'
const YEAR_BEFORE = `(${LATEST} - 100)`
const rates = (month: string) =>
  `select industry, year, month, rate_percent as rate from unemployment where year * 100 + month = ${month} order by rate_percent desc, industry`
const total = (month: string) => `select sum(unemployed_thousands) as total from unemployment where year * 100 + month = ${month}`
const seasons = 'select month, round(avg(rate_percent), 1) as rate from unemployment group by month order by rate desc limit 3'

/** What the scripted model does for jobs/labor-report.yaml: it looks, asks, and writes the report from what the tools answered. */
export const reportScript: Step[] = [
  ...script(`
    call labor__describe_tables {} & labor__query ${JSON.stringify({ sql: 'select count(*) as rows, max(year * 100 + month) as latest from unemployment' })}
    call labor__query ${JSON.stringify({ sql: rates(LATEST) })} & labor__query ${JSON.stringify({ sql: rates(YEAR_BEFORE) })}
    call labor__query ${JSON.stringify({ sql: total(LATEST) })} & labor__query ${JSON.stringify({ sql: total(YEAR_BEFORE) })} & labor__query ${JSON.stringify({ sql: seasons })}
  `),
  { kind: 'call', calls: [{ name: 'everything__get-sum', arguments: changeOfTotals }] },
  { kind: 'say', text: writeReport },
]

/** The change over the year is worked out by a tool, not by the model. */
function changeOfTotals(results: string[]): string {
  const totalOf = (result: string | undefined) => Number(rowsOf(result)[0]?.['total'] ?? 0)
  return JSON.stringify({ a: totalOf(results[4]), b: -totalOf(results[5]) })
}

function writeReport(results: string[]): string {
  const [, , now, before, totalNow, totalBefore, , sum] = results
  const earlier = new Map(rowsOf(before).map((row) => [row['industry'], Number(row['rate'])]))
  const rows = rowsOf(now).map((row) => {
    const rate = Number(row['rate'])
    const yearBefore = earlier.get(row['industry'] ?? '') ?? rate
    return { industry: String(row['industry']), rate, yearBefore, change: Number((rate - yearBefore).toFixed(1)) }
  })
  const [first] = rowsOf(now)
  const month = `${first?.['year']}-${String(first?.['month']).padStart(2, '0')}`
  const worst = rows.toSorted((a, b) => b.change - a.change)[0]
  const millions = (result: string | undefined) => (Number(rowsOf(result)[0]?.['total'] ?? 0) / 1000).toFixed(1)
  const change = /is (-?\d+(\.\d+)?)/.exec(sum ?? '')?.[1]
  return JSON.stringify({
    title: `Unemployment by industry, ${month}`,
    summary: `${millions(totalNow)} million persons were unemployed, ${millions(totalBefore)} million a year before, a change of ${change} thousand. ${rows[0]?.industry} has the highest rate (${rows[0]?.rate} %); ${worst?.industry} rose most (${worst?.change} points).`,
    rows,
  })
}
