import type { Command } from 'commander'
import { z } from 'zod'
import { Failure } from '../../../core/failure.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { countOf, type Db, type RunFilter, type RunGroup } from '../../../runs/queries.ts'
import { refuseUnknownNames, unknownTag } from '../../../runs/meant/names.ts'
import { addFilter, filterOf, filterOptions } from '../../options/filter.ts'
import { configuredNames, type Configured } from '../../options/known.ts'
import { notEmpty } from '../../options/options.ts'
import { confirm } from '../../terminal/confirm.ts'
import type { Terminal } from '../../terminal/terminal.ts'
import { requireIds, runCount, showPlan } from './plan.ts'

/** Options of what acts upon runs: which ones, why, and whether it asks. */
export const actingOptions = filterOptions.extend({
  json: z.boolean().default(false),
  yes: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  reason: z.string().optional(),
})

/** Adds them to a command that also takes names of runs. */
export const addActing = (command: Command): Command =>
  addFilter(command)
    .option('-r, --reason <text>', 'why; kept with the runs', notEmpty)
    .option('--dry-run', 'only say which and how many')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one JSON value on stdout')

/**
 * The runs that are meant: those named, each as a person may write it, or those of the filter. Both at once is refused: which of them was meant is a guess. So
 * are names in the filter that nobody and nothing has.
 */
export async function meantRuns(
  { db, ...found }: { db: Db } & Configured,
  names: readonly string[],
  given: z.output<typeof filterOptions>,
): Promise<{ filter: RunFilter; ids: readonly string[] | undefined }> {
  const filter = filterOf(given)
  if (names.length === 0) {
    await refuseUnknownNames(db, filter, () => configuredNames(found))
    const tag = await unknownTag(db, filter)
    if (tag) throw tag
    return { filter, ids: undefined }
  }
  if (Object.values(filter).some((value) => value !== undefined))
    throw new Failure({ code: 'COMMAND_INVALID', message: 'Runs were named, and a filter goes without names.' })
  const ids = await requireIds(db, names)
  return { filter: { ids }, ids }
}

/** What the command would do, in words with a number of runs in their place. */
export interface Wording {
  /** `would be queued again` */
  would: string
  /** `Queue 3 runs again?` */
  ask: (runs: string) => string
}

/**
 * Says what a filter was understood as and which runs that means, then asks. Returns the exit code where that is all: a dry run, no such run, or a no. Runs
 * that were named are not asked about.
 */
export async function settledBeforehand(
  terminal: Terminal,
  { filter, ids }: Awaited<ReturnType<typeof meantRuns>>,
  plan: readonly RunGroup[],
  { json, dryRun, yes }: Pick<z.output<typeof actingOptions>, 'json' | 'dryRun' | 'yes'>,
  { would, ask }: Wording,
): Promise<number | undefined> {
  const count = countOf(plan)
  if (ids === undefined || (dryRun && !json)) terminal.err(showPlan(plan, filter, terminal))
  if (dryRun || count === 0) {
    const said = dryRun ? `${runCount(count)} ${would}.` : 'There is no such run: nothing was done.'
    terminal.out(json ? JSON.stringify({ count, dryRun, groups: plan }) : said)
    return EXIT.ok
  }
  return ids !== undefined || (await confirm(terminal, ask(runCount(count)), yes)) ? undefined : EXIT.ok
}
