import { Option } from 'commander'
import { z } from 'zod'
import { allCeilings } from '../../../app/resources.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { WARN_SHARE } from '../../../core/rules/spending/budget.ts'
import { MOST_KEYS, SPENT_BY, takeSpending, type CeilingView, type Spending, type Spent } from '../../../runs/spending/spend.ts'
import { showSecond } from '../../../lib/show/time.ts'
import { showLine } from '../../../lib/text.ts'
import { parseTime } from '../../options/time.ts'
import { storeOf, examples, openStoreOf, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, wrap, type Terminal } from '../../terminal/terminal.ts'
import { tellUnknownNames } from './plan.ts'

const optionsSchema = z.object({
  by: z.enum(SPENT_BY),
  job: z.string().optional(),
  since: z.date().optional(),
  until: z.date().optional(),
  json: z.boolean().default(false),
})

export const addSpend: AddCommand = (program, terminal, done) => {
  program
    .command('spend')
    .description('what runs spent in money and tokens, and what is left of today’s ceilings (budgets: of the configuration)')
    .addOption(new Option('--by <what>', 'what it is counted by').choices(SPENT_BY).default('day'))
    .option('--job <name>', 'only of this job')
    .addOption(
      new Option('--since <time>', 'only since: 24h, 30d, 2026-11-24 (UTC); without it, today and the six days before').argParser(
        parseTime,
      ),
    )
    .addOption(new Option('--until <time>', 'only before').argParser(parseTime))
    .option('--json', 'one JSON value on stdout, as GET /v1/spend')
    .addHelpText(
      'after',
      examples(
        'nightshift spend',
        'nightshift spend --by job --since 24h',
        'nightshift spend --by caller --since 2026-11-01 --until 2026-12-01',
        'nightshift spend --json | jq .total.costUsd',
      ),
    )
    .action(async (options: unknown, command) => {
      const { by, job, since, until, json } = optionsSchema.parse(options)
      const found = storeOf(command, terminal)
      await using store = await openStoreOf(found.place)
      const jobs = job === undefined ? undefined : [job]
      const spending = await takeSpending(store.db, { by, since, until, jobs }, found.config && allCeilings(found.config))
      if (spending.total.turns === 0) await tellUnknownNames({ db: store.db, ...found }, { job }, terminal)
      terminal.out(json ? JSON.stringify(spending, null, 2) : showSpending(spending, terminal, job))
      done(EXIT.ok)
    })
}

type Screen = Pick<Terminal, 'colors' | 'columns'>

/** What was spent, what of it is not known, and what is left of today. `job`: nothing else was asked for. */
export function showSpending(spending: Spending, screen: Screen, job?: string): string {
  const { since, until, rows, total, today } = spending
  const [from, to] = [showSecond(since), showSecond(until)]
  const lines =
    total.turns === 0
      ? wrap(`Nothing was spent from ${from} to ${to}.`, screen.columns)
      : [...wrap(`Spent from ${from} to ${to}:`, screen.columns), '', spentTable(spending, screen)]
  const cut = rows.length < MOST_KEYS ? '' : `These are the ${MOST_KEYS} that cost most; in all is of the others too.`
  const notes = [cut, unknownText(total)].filter((text) => text !== '').join(' ')
  return [...lines, ...(notes === '' ? [] : ['', ...wrap(notes, screen.columns)]), '', ...showCeilings(today, screen, job)].join('\n')
}

/** Widths from which turns and both kinds of tokens fit, and from which the number of runs does. */
const WIDE = 80
const MIDDLE = 60

function spentTable({ by, rows, total }: Spending, screen: Screen): string {
  const tokens = (count: number, { estimated }: Spent) => `${estimated ? '~' : ''}${count}`
  const all: readonly (readonly [head: string, from: number, to: number, cell: (spent: Spent) => string])[] = [
    ['runs', MIDDLE, Infinity, ({ runs }) => String(runs)],
    ['turns', WIDE, Infinity, ({ turns }) => String(turns)],
    ['tokens', 0, WIDE, (spent) => tokens(spent.inputTokens + spent.outputTokens, spent)],
    ['tokens in', WIDE, Infinity, (spent) => tokens(spent.inputTokens, spent)],
    ['tokens out', WIDE, Infinity, (spent) => tokens(spent.outputTokens, spent)],
    ['USD', 0, Infinity, usdText],
  ]
  const shown = all.filter(([, from, to]) => screen.columns >= from && screen.columns < to)
  const cells = (key: string, spent: Spent) => [key, ...shown.map(([, , , cell]) => cell(spent))]
  return renderNamed(
    screen,
    [by, ...shown.map(([head]) => head)],
    [...rows.map((row) => cells(keyText(row.key, by), row)), cells('in all', total)],
  )
}

function keyText(key: string | null, by: Spending['by']): string {
  if (key !== null) return showLine(key)
  return by === 'caller' ? 'no caller (schedules)' : 'not known'
}

/** Money, as far as it is known. */
function usdText({ costUsd, unpriced }: Spent): string {
  if (costUsd === null) return 'not known'
  return `${unpriced > 0 ? 'at least ' : ''}${costUsd.toFixed(4)}`
}

/** What of the figures is not known, and why. */
function unknownText({ turns, unpriced, estimated }: Spent): string {
  const money = `What ${unpriced} of ${turns} turns cost is not known: their model or tier has no price (prices: of the configuration), or nobody says what they used.`
  return [...(unpriced === 0 ? [] : [money]), ...(estimated ? ['Tokens with ~ are estimates in part.'] : [])].join(' ')
}

function showCeilings({ day, ceilings }: Spending['today'], screen: Screen, job: string | undefined): string[] {
  if (ceilings === null) return wrap('What is left of the day’s ceilings is not known while the configuration has a fault.', screen.columns)
  if (ceilings.length === 0 && job !== undefined)
    return wrap(
      `No ceiling of a day is configured for ${showLine(job)} (budgets.jobs: of the configuration). Without --job, those of accounts are shown.`,
      screen.columns,
    )
  if (ceilings.length === 0) return wrap('No ceiling of a day is configured (budgets: of the configuration).', screen.columns)
  return [ceilingTable(day, ceilings, screen)]
}

/** A row for each kind of each ceiling; what is left is marked once little is. */
function ceilingTable(day: string, ceilings: readonly CeilingView[], screen: Screen): string {
  const rows = ceilings.flatMap(({ scope, name, costUsd, tokens }) => [
    ...(costUsd === null ? [] : [{ name: `${scope} ${name}`, unit: 'USD', ...costUsd, text: (usd: number) => usd.toFixed(4) }]),
    ...(tokens === null ? [] : [{ name: `${scope} ${name}`, unit: 'tokens', ...tokens, text: String }]),
  ])
  const isWide = screen.columns >= MIDDLE
  return renderNamed(
    screen,
    [`today (${day} UTC)`, '', ...(isWide ? ['spent'] : []), 'most', 'left'],
    rows.map(({ name, unit, most, spent, left, text }) => [
      name,
      unit,
      ...(isWide ? [text(spent)] : []),
      String(most),
      spent >= most * WARN_SHARE ? screen.colors.yellow(text(left)) : text(left),
    ]),
  )
}

const MAX_NAME = 40

/** A table of figures whose first column has what the others leave. */
const renderNamed = (screen: Screen, head: readonly string[], rows: readonly (readonly string[])[]): string =>
  renderTable(
    screen,
    head,
    rows.map(([name = '', ...figures]) => [fit(name, MAX_NAME), ...figures]),
    { right: head.slice(1).map((_, at) => at + 1), cut: { 0: 10 } },
  )
