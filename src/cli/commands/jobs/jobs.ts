import type { Command } from 'commander'
import { z } from 'zod'
import { createApp } from '../../../app/app.ts'
import { loadConfiguredJobs } from '../../../app/open/jobs.ts'
import { checkJobs } from '../../../app/open/eval.ts'
import { askOfJobs, type LiveFaults } from '../../../doctor/live/jobs.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { showText } from '../../../lib/text.ts'
import { pinJob } from '../../../runs/attempt/pins/write-pins.ts'
import type { Job } from '../../../runs/lookup.ts'
import { configOf, configToCheck, examples, quietLog, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, fold, type Terminal } from '../../terminal/terminal.ts'

/** Characters of a description that a list shows. */
const MAX_DESCRIPTION = 140

const optionsSchema = z.object({ json: z.boolean().default(false), live: z.boolean().default(false) })

export const addJobs: AddCommand = (program, terminal, done) => {
  const jobs = program
    .command('jobs')
    .description('list the jobs and the faults of their files')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift jobs', 'nightshift jobs check', 'nightshift jobs --json | jq -r ".jobs[].name"'))
    .action((options: unknown, command) => done(listJobs(command, terminal, optionsSchema.parse(options).json)))
  jobs
    .command('check [job...]')
    .description(
      'check all job files and their cases, or those named alone (stock, or jobs/stock.yaml), for CI: exit code 2 when one has a fault',
    )
    .option('--json', 'one JSON value on stdout')
    .option('--live', 'also ask Pomerium, the servers and the providers whether the routes, tools and models are there; calls no tool')
    .addHelpText(
      'after',
      examples(
        'nightshift jobs check',
        'nightshift jobs check jobs/stock.yaml',
        'nightshift jobs check --live',
        'nightshift jobs check --json | jq ".issues"',
      ),
    )
    .action(async (named: string[], _: unknown, command: Command) =>
      done(await check(named, command, terminal, optionsSchema.parse(command.optsWithGlobals()))),
    )
  jobs
    .command('pin <job>')
    .description('write the definitions of the job’s tools, as its servers give them now, into jobs/<job>.lock.yaml; shows what changed')
    .addHelpText('after', examples('nightshift jobs pin labor-report', 'git diff jobs/labor-report.lock.yaml'))
    .action(async (name: string, _: unknown, command: Command) => done(await pin(name, command, terminal)))
}

async function pin(name: string, command: Command, terminal: Terminal): Promise<number> {
  await using app = await createApp({ config: configOf(command, terminal), log: quietLog() })
  const { jobFile, lockFile, difference, tools, isPinned } = await pinJob(app, name, terminal.signal)
  terminal.out(
    difference === '' ? `${lockFile} is as it was: ${count(tools)}.` : `${showText(difference)}\n${lockFile} is written: ${count(tools)}.`,
  )
  if (!isPinned) terminal.err(`Write pin: true into ${jobFile}, so that runs are held to it.`)
  return EXIT.ok
}

function listJobs(command: Command, terminal: Terminal, json: boolean): number {
  const { jobs, issues } = loadConfiguredJobs(configOf(command, terminal))
  if (json) terminal.out(JSON.stringify({ jobs: [...jobs.values()].map(jsonOf), issues }, null, 2))
  else if (jobs.size > 0) {
    const rows = [...jobs.values()].map(({ name, version, definition: { schedule, description } }) => [
      name,
      schedule ? `${schedule.cron} ${schedule.timezone}` : 'on demand',
      version.slice(7, 15),
      fit(description ?? '', MAX_DESCRIPTION),
    ])
    terminal.out(renderTable(terminal, ['job', 'schedule', 'version', 'description'], rows, { cut: { 3: 16 } }))
  } else if (issues.length === 0) terminal.out('There are no job files. Put one into the directory that jobsDir names.')
  if (!json) for (const issue of issues) terminal.err(fold(showText(issue), terminal))
  return issues.length > 0 ? EXIT.usage : EXIT.ok
}

async function check(
  named: readonly string[],
  command: Command,
  terminal: Terminal,
  { json, live }: z.output<typeof optionsSchema>,
): Promise<number> {
  const checked = checkJobs(configToCheck(command, terminal), named)
  const asked = live ? await askLive([...checked.jobs.values()], command, terminal) : NOTHING_ASKED
  const valid = [...checked.jobs.keys()].filter((name) => !asked.faulty.has(name))
  const issues = [...checked.issues, ...asked.issues]
  const warnings = [...checked.warnings, ...asked.warnings]
  if (json) terminal.out(JSON.stringify({ valid, issues, warnings }, null, 2))
  else {
    for (const line of [...issues, ...warnings.map((one) => `warning: ${one}`)]) terminal.err(fold(showText(line), terminal))
    const told = [
      `${many(valid.length, 'job')} valid`,
      many(issues.length, 'fault'),
      ...(warnings.length > 0 ? [many(warnings.length, 'warning')] : []),
    ]
    terminal.out(`${told.join(', ')}.`)
  }
  return issues.length > 0 ? EXIT.usage : EXIT.ok
}

const NOTHING_ASKED: LiveFaults = { issues: [], warnings: [], faulty: new Set() }

/** What the jobs without a fault name that is not there. The store keeps each request, so that its line in Pomerium's log is explained. */
async function askLive(jobs: readonly Job[], command: Command, terminal: Terminal): Promise<LiveFaults> {
  if (jobs.length === 0) return NOTHING_ASKED
  await using app = await createApp({ config: configOf(command, terminal), log: quietLog() })
  return await askOfJobs(jobs, app, terminal.signal)
}

const many = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
const count = (tools: number) => many(tools, 'tool')

const jsonOf = ({ name, file, version, definition }: Job) => ({ name, file, version, ...definition })
