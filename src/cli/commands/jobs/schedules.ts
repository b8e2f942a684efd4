import { Option, type Command } from 'commander'
import { z } from 'zod'
import { createApp } from '../../../app/app.ts'
import { loadConfiguredJobs } from '../../../app/open/jobs.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { showText } from '../../../lib/text.ts'
import { showTime, showTimeIn } from '../../../lib/show/time.ts'
import { requireJob } from '../../../runs/lookup.ts'
import { backfill, planBackfill } from '../../../schedules/backfill.ts'
import { viewSchedules, type ScheduleView } from '../../../schedules/view.ts'
import { confirm } from '../../terminal/confirm.ts'
import { parseTime } from '../../options/time.ts'
import { createLines } from '../../terminal/lines.ts'
import { configOf, examples, openStoreOf, quietLog, type AddCommand } from '../../options/options.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'
import { whoami } from '../../options/whoami.ts'

const backfillOptions = z.object({
  from: z.date(),
  to: z.date(),
  yes: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  json: z.boolean().default(false),
})

export const addSchedules: AddCommand = (program, terminal, done) => {
  const schedules = program
    .command('schedules')
    .description('list the schedules: when each fired, when it fires next, and whether it is paused')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift schedules', 'nightshift schedules --json | jq -r ".[] | .job + \\" \\" + .next[0]"'))
    .action(async (options: unknown, command) => {
      const { json } = z.object({ json: z.boolean().default(false) }).parse(options)
      const config = configOf(command, terminal)
      const { jobs, issues } = loadConfiguredJobs(config)
      await using store = await openStoreOf(config)
      const views = await viewSchedules(store.db, jobs, new Date())
      if (json) terminal.out(JSON.stringify(views, null, 2))
      else terminal.out(views.length === 0 ? 'No job has a schedule.' : views.map((view) => showSchedule(view, terminal)).join('\n\n'))
      if (!json) for (const issue of issues) terminal.err(showText(issue))
      done(EXIT.ok)
    })
  schedules
    .command('backfill <job>')
    .description('make the runs of past fires that have none')
    .addOption(new Option('--from <time>', 'first fire: 7d, or 2026-11-01T00:00:00Z').argParser(parseTime).makeOptionMandatory())
    .addOption(new Option('--to <time>', 'before this time').argParser(parseTime).default(new Date(), 'now'))
    .option('--dry-run', 'only count them')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples(
        'nightshift schedules backfill labor-report --from 28d',
        'nightshift schedules backfill labor-report --from 28d --to 7d --yes',
      ),
    )
    .action(async (name: string, _: unknown, command: Command) => {
      const { from, to, yes, dryRun, json } = backfillOptions.parse(command.optsWithGlobals())
      await using app = await createApp({ config: configOf(command, terminal), log: quietLog() })
      const job = requireJob(app.jobs.jobs(), name, app.jobs.issues())
      const fires = await planBackfill(app.db, job, from, to)
      const what = `${fires.length} fire${fires.length === 1 ? '' : 's'} of ${name} without a run, from ${showTime(from)} to ${showTime(to)}`
      if (dryRun || fires.length === 0) {
        terminal.out(json ? JSON.stringify({ fires: fires.map((at) => at.toISOString()), dryRun }, null, 2) : `${what}.`)
        return done(EXIT.ok)
      }
      terminal.err(`${what}.`)
      if (!(await confirm(terminal, `Make ${fires.length === 1 ? 'its run' : `their ${fires.length} runs`}?`, yes))) return done(EXIT.ok)
      const ids = await backfill(app, job, fires, whoami())
      terminal.out(
        json
          ? JSON.stringify({ runs: ids, dryRun: false }, null, 2)
          : `${ids.length} run${ids.length === 1 ? ' is' : 's are'} queued, behind all others.`,
      )
      done(EXIT.ok)
    })
}

function showSchedule({ job, words, cron, timezone, lastFire, next, paused }: ScheduleView, terminal: Terminal): string {
  const lines = createLines(terminal)
  const width = terminal.columns - 12
  const last = lastFire ? `${showTimeIn(lastFire.at, timezone)} ${lastFire.runId ?? `skipped: ${lastFire.reason ?? ''}`}` : 'never'
  return [
    lines.step('job', terminal.colors.bold(job)),
    lines.step('when', `${words} (${cron}), ${timezone}`),
    lines.step('last fire', fit(last, width)),
    ...(paused
      ? [lines.step('paused', terminal.colors.yellow(fit(`by ${paused.by} since ${showTime(paused.at)}: ${paused.reason}`, width)))]
      : []),
    ...next.map((at, index) => lines.step(index === 0 ? 'next' : '', showTimeIn(at, timezone))),
  ].join('\n')
}
