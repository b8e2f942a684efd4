import { z } from 'zod'
import { EXIT } from '../../../core/failure-codes.ts'
import { isEmptyFilter, type RunFilter, type RunLine } from '../../../runs/queries.ts'
import { watchRuns, type Standing } from '../../../runs/follow/watch.ts'
import { addFilter, describeFilter, filterOf, filterOptions } from '../../options/filter.ts'
import { examples, openStoreOf, storeOf, type AddCommand } from '../../options/options.ts'
import { createLines, shortId } from '../../terminal/lines.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'
import { noRuns, tellUnknownNames } from './plan.ts'
import { runsTable, whyOf } from './table.ts'

const optionsSchema = filterOptions.extend({ json: z.boolean().default(false) })

export const addWatch: AddCommand = (program, terminal, done) => {
  addFilter(program.command('watch').description('show how runs stand as it changes, until Ctrl-C; in a pipe a line for each change'))
    .option('--json', 'a run as one JSON value a line, whenever it changes')
    .addHelpText(
      'after',
      examples('nightshift watch', 'nightshift watch --job labor-report --since 1h', 'nightshift watch --json | jq .status'),
    )
    .action(async (options: unknown, command) => {
      const { json, ...given } = optionsSchema.parse(options)
      const filter = filterOf(given)
      const found = storeOf(command, terminal)
      await using store = await openStoreOf(found.place)
      const show = terminal.draw && !json ? createScreen(filter, terminal, terminal.draw) : createTicker(terminal, json)
      let isChecked = false
      for await (const standing of watchRuns(store.db, { filter, signal: terminal.signal })) {
        // The first look alone: what is watched may come later, and a name that nothing has would be watched for ever.
        if (standing && !isChecked && standing.open.length + standing.ended.length === 0)
          await tellUnknownNames({ db: store.db, ...found }, filter, terminal)
        isChecked ||= standing !== undefined
        show(standing)
      }
      done(EXIT.ok)
    })
}

type Show = (standing: Standing | undefined) => void

/** Lines of the screen that are not runs: what is watched, how many there are, and the heads of the table. */
const OTHER_LINES = 5
const MIN_RUNS = 5

/** The whole screen, drawn anew at each look. */
function createScreen(filter: RunFilter, terminal: Terminal, draw: NonNullable<Terminal['draw']>): Show {
  const { colors } = terminal
  let last = ''
  return (standing) => {
    if (!standing) return draw(() => `${colors.red('The store does not answer. It is asked again.')}\n${last}`)
    draw((rows) => {
      const room = Math.max(rows - OTHER_LINES, MIN_RUNS)
      // What ended has a third of the screen at least, and what is left.
      const open = standing.open.slice(0, Math.max(room - standing.ended.length, Math.ceil((room * 2) / 3)))
      const runs = [...open, ...standing.ended.slice(0, room - open.length)]
      last = [
        fit(
          `${isEmptyFilter(filter) ? 'all runs' : describeFilter(filter)}, at ${standing.at.toISOString().slice(11, 19)} UTC`,
          terminal.columns,
        ),
        colors.dim(countsText(standing)),
        '',
        runs.length === 0 ? noRuns(filter) : runsTable(runs, terminal, standing.at),
      ].join('\n')
      return last
    })
  }
}

const countsText = ({ counts }: Standing) =>
  counts.size === 0 ? 'none is under way' : [...counts].map(([status, runs]) => `${runs} ${status}`).join(', ')

/** A line for each run that is not over at the beginning, and from then on for each change. */
function createTicker(terminal: Terminal, json: boolean): Show {
  const lines = createLines(terminal)
  let seen: ReadonlyMap<string, string> | undefined
  let isTold = false
  return (standing) => {
    if (!standing) {
      if (!isTold) terminal.err('The store does not answer. It is asked again.')
      isTold = true
      return
    }
    isTold = false
    const states = new Map([...standing.ended, ...standing.open].map((run) => [run.id, stateOf(run)]))
    const changed = [...standing.ended, ...standing.open].filter((run) =>
      seen ? seen.get(run.id) !== states.get(run.id) : run.finishedAt === null,
    )
    for (const run of changed.toReversed())
      terminal.out(
        json
          ? JSON.stringify(run)
          : `${standing.at.toISOString().slice(11, 19)}Z ${shortId(run.id)} ${fit(run.job, 40)} ${lines.status(run.status)} ${whyOf(run)}`.trimEnd(),
      )
    seen = states
  }
}

const stateOf = ({ status, heldBy, attempts, finishedAt }: RunLine) => JSON.stringify([status, heldBy, attempts, finishedAt])
