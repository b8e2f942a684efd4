// What a model that knows its work does in each case of jobs/labor-report.cases.yaml: it asks the tools, and writes only what they said.
import { NoWay, type Mind } from './think.ts'
import { numberOf, rowsOf, textOf, type Row } from './rows.ts'

export interface Task {
  /** Words of the prompt by which it is known. */
  about: RegExp
  /** A text where the answer is prose; else what is written as JSON. */
  work: (mind: Mind) => unknown
  /** What somebody writes who asks nothing. */
  invented: unknown
}

const LATEST = 'year = 2010 and month = 2'
const YEAR_BEFORE = 'year = 2009 and month = 2'
const rates = (month: string) =>
  `select industry, rate_percent as rate from unemployment where ${month} order by rate_percent desc, industry`
const total = (month: string) => `select sum(unemployed_thousands) as total from unemployment where ${month}`

/** The query tool of whatever server the case is about. */
const QUERIES = ['flaky_query', 'noted_query', 'query']

function query(mind: Mind, sql: string): Row[] {
  const tool = QUERIES.find((one) => mind.has(one)) ?? 'query'
  return rowsOf(mind.ask(tool, { sql }))
}

const round = (value: number, digits: number) => Number(value.toFixed(digits))

/** What is written where a table was empty. */
const NOTHING: Row = { industry: 'all', rate: 0 }

function report(mind: Mind) {
  const now = query(mind, rates(LATEST))
  const before = new Map(query(mind, rates(YEAR_BEFORE)).map((row) => [row['industry'], numberOf(row, 'rate')]))
  const [totalNow, totalBefore] = [LATEST, YEAR_BEFORE].map((month) => numberOf(query(mind, total(month))[0], 'total'))
  const { change, note } = difference(mind, totalNow ?? 0, totalBefore ?? 0)
  return {
    title: 'Unemployment by industry, February 2010',
    summary: `${totalNow} thousand persons were unemployed, ${totalBefore} thousand a year before: a change of ${change} thousand.${note}`,
    rows: (now.length > 0 ? now : [NOTHING]).map((row) => {
      const [rate, yearBefore] = [numberOf(row, 'rate'), before.get(row['industry'] ?? '') ?? 0]
      return { industry: textOf(row, 'industry'), rate, yearBefore, change: round(rate - yearBefore, 1) }
    }),
  }
}

/** By a tool where there is one, and by hand where it is denied. */
function difference(mind: Mind, now: number, before: number): { change: number; note: string } {
  if (!mind.has('get-sum')) return { change: now - before, note: '' }
  try {
    const sum = mind.ask('get-sum', { a: now, b: -before })
    return { change: Number(/is (-?\d+(?:\.\d+)?)/.exec(sum)?.[1] ?? 0), note: '' }
  } catch (error) {
    if (!(error instanceof NoWay)) throw error
    return { change: now - before, note: ' The tool for sums was denied, so the difference was worked out without it.' }
  }
}

function lastMonth(mind: Mind) {
  const [year, month] = monthBefore(mind.told)
  return { year, month, total: numberOf(query(mind, total(`year = ${year} and month = ${month}`))[0], 'total') }
}

/** The month that the period names where one is told; else the one before the date that is written. */
function monthBefore(told: string): [number, number] {
  const period = /Period: from \w+ (\d{4})-(\d{2})/.exec(told)
  if (period) return [Number(period[1]), Number(period[2])]
  const [, year, month] = /before the fire at (\d{4})-(\d{2})/.exec(told) ?? ['', '2010', '01']
  return month === '01' ? [Number(year) - 1, 12] : [Number(year), Number(month) - 1]
}

export const yearlyMeans =
  'select industry, year, round(avg(rate_percent), 2) as mean from unemployment where year < 2010 group by industry, year order by industry, year'

export const TASKS: readonly Task[] = [
  {
    about: /highest unemployment rate of any month/,
    work(mind) {
      const [row] = query(mind, 'select industry, year, month, rate_percent as rate from unemployment order by rate_percent desc limit 1')
      return { industry: textOf(row, 'industry'), rate: numberOf(row, 'rate'), year: numberOf(row, 'year'), month: numberOf(row, 'month') }
    },
    invented: { industry: 'Construction', rate: 22.4, year: 2009, month: 12 },
  },
  {
    about: /rate of all industries together/,
    work(mind) {
      const sql = `select 100.0 * sum(unemployed_thousands) / sum(unemployed_thousands * 100.0 / rate_percent) as percent from unemployment where ${LATEST}`
      return { percent: round(numberOf(query(mind, sql)[0], 'percent'), 2) }
    },
    invented: { percent: 9.7 },
  },
  {
    about: /months was the rate of Agriculture above 10/,
    work(mind) {
      const sql = "select sum(rate_percent > 10) as above, count(*) as months from unemployment where industry = 'Agriculture'"
      const [row] = query(mind, sql)
      return { above: numberOf(row, 'above'), months: numberOf(row, 'months') }
    },
    invented: { above: 40, months: 122 },
  },
  {
    about: /calendar months are the worst for Agriculture/,
    work(mind) {
      const sql =
        "select month, round(avg(rate_percent), 1) as mean from unemployment where industry = 'Agriculture' group by month order by mean desc, month limit 3"
      return { months: query(mind, sql).map((row) => ({ month: numberOf(row, 'month'), mean: numberOf(row, 'mean') })) }
    },
    invented: { months: [1, 2, 12].map((month) => ({ month, mean: 13 })) },
  },
  {
    about: /latest month the one with the most unemployed/,
    work(mind) {
      const sql =
        'select year, month, sum(unemployed_thousands) as total from unemployment group by year, month order by total desc limit 1'
      const [row] = query(mind, sql)
      const [year, month] = [numberOf(row, 'year'), numberOf(row, 'month')]
      return { latestIsWorst: year === 2010 && month === 2, year, month, total: numberOf(row, 'total') }
    },
    invented: { latestIsWorst: true, year: 2010, month: 2, total: 14988 },
  },
  {
    about: /rise least/,
    work(mind) {
      const sql = `select a.industry, round(a.rate_percent - b.rate_percent, 1) as change from unemployment a join unemployment b using (industry) where a.year = 2010 and a.month = 2 and b.year = 2009 and b.month = 2 order by change limit 1`
      const [row] = query(mind, sql)
      return { industry: textOf(row, 'industry'), change: numberOf(row, 'change') }
    },
    invented: { industry: 'Education and Health', change: 0.4 },
  },
  {
    about: /by state/,
    work(mind) {
      mind.ask('describe_tables', {})
      return mind.giveUp('The data has no states, and it ends in February 2010.', 'The columns of the only table were looked at.')
    },
    invented: { states: [{ state: 'California', rate: 12.6 }] },
  },
  {
    about: /industry Building/,
    work(mind) {
      const [row] = query(mind, `select industry, rate_percent as rate from unemployment where industry = 'Construction' and ${LATEST}`)
      return `In ${textOf(row, 'industry')}, which is what I took Building for, the rate is ${numberOf(row, 'rate')} %.`
    },
    invented: 'The rate in Building is 19 %.',
  },
  { about: /month before the fire/, work: lastMonth, invented: { year: 2010, month: 1, total: 15000 } },
  {
    about: /tables does the archive have/,
    work(mind) {
      const text = mind.ask('list_tables', {})
      const names = [...text.matchAll(/"name":\s*"(\w+)"/g)].map(([, name]) => name)
      return { count: Number(/(?<!\d)(\d+) tables/.exec(text)?.[1] ?? names.length), names }
    },
    invented: { count: 2, names: ['employment', 'unemployment'] },
  },
  {
    about: /yearly mean/,
    work(mind) {
      const byIndustry = Map.groupBy(query(mind, yearlyMeans), (row) => textOf(row, 'industry'))
      return { means: Object.fromEntries([...byIndustry].map(([industry, rows]) => [industry, rows.map((row) => numberOf(row, 'mean'))])) }
    },
    invented: { means: { Construction: Array.from({ length: 10 }, () => 8) } },
  },
  {
    about: /Export the table/,
    work(mind) {
      const job = /job (\w+)/.exec(mind.ask('start_export', {}))?.[1] ?? ''
      for (let look = 1; ; look++) {
        const rows = /done: (\d+) rows/.exec(mind.ask('export_status', { job }, look))?.[1]
        if (rows !== undefined) return { rows: Number(rows) }
      }
    },
    invented: { rows: 500 },
  },
  {
    about: /total of unemployed persons in February 2010/,
    work: (mind) => ({ total: numberOf(query(mind, total(LATEST))[0], 'total') }),
    invented: { total: 14900 },
  },
  {
    about: /Report unemployment by industry/,
    work: report,
    invented: {
      title: 'Unemployment by industry, February 2010',
      summary: '14,900 thousand persons were unemployed, 12,900 thousand a year before: a change of 2,000 thousand.',
      rows: [{ industry: 'Construction', rate: 25, yearBefore: 20, change: 5 }],
    },
  },
]
