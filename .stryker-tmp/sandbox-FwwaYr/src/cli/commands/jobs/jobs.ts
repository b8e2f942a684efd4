// @ts-nocheck
import type { Command } from 'commander'
import { z } from 'zod'
import { createApp, loadConfiguredJobs } from '../../../app/app.ts'
import { EXIT, Failure } from '../../../core/failure.ts'
import { showText } from '../../../lib/text.ts'
import type { Job } from '../../../jobs/load.ts'
import { lockFileOf, writeLock } from '../../../jobs/lock.ts'
import { configOf, examples, quietLog, type AddCommand } from '../../options/options.ts'
import { renderTable } from '../../terminal/table.ts'
import { fit, type Terminal } from '../../terminal/terminal.ts'

const optionsSchema = z.object({ json: z.boolean().default(false) })

export const addJobs: AddCommand = (program, terminal, done) => {
  const jobs = program
    .command('jobs')
    .description('list the jobs and the faults of their files')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift jobs', 'nightshift jobs check', 'nightshift jobs --json | jq -r ".jobs[].name"'))
    .action((options: unknown, command) => done(listJobs(command, terminal, optionsSchema.parse(options).json)))
  jobs
    .command('check')
    .description('check all job files, for CI: exit code 2 when one has a fault')
    .option('--json', 'one JSON value on stdout')
    .addHelpText('after', examples('nightshift jobs check', 'nightshift jobs check --json | jq ".issues"'))
    .action((_: unknown, command: Command) => done(checkJobs(command, terminal, optionsSchema.parse(command.optsWithGlobals()).json)))
  jobs
    .command('pin <job>')
    .description('write the definitions of the job’s tools, as its servers give them now, into jobs/<job>.lock.yaml; shows what changed')
    .addHelpText('after', examples('nightshift jobs pin labor-report', 'git diff jobs/labor-report.lock.yaml'))
    .action(async (name: string, _: unknown, command: Command) => done(await pinJob(name, command, terminal)))
}

async function pinJob(name: string, command: Command, terminal: Terminal): Promise<number> {
  const config = configOf(command, terminal)
  await using app = await createApp({ config, log: quietLog() })
  const job = app.jobs.unpinned(name)
  if (!job)
    throw new Failure({ code: 'RUN_UNKNOWN', message: `There is no job ${name}, or its file has faults.`, cure: 'See nightshift jobs.' })
  const tools = await app.describeTools(job, terminal.signal)
  const difference = writeLock(job.file, tools)
  terminal.out(
    difference === ''
      ? `${lockFileOf(job.file)} is as it was: ${count(tools.length)}.`
      : `${showText(difference)}\n${lockFileOf(job.file)} is written: ${count(tools.length)}.`,
  )
  if (!job.definition.pin) terminal.err(`Write pin: true into ${job.file}, so that runs are held to it.`)
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
      fit(description ?? '', Math.max(terminal.columns - 60, 20)),
    ])
    terminal.out(renderTable(terminal, ['job', 'schedule', 'version', 'description'], rows))
  } else if (issues.length === 0) terminal.out('There are no job files. Put one into the directory that jobsDir names.')
  if (!json) for (const issue of issues) terminal.err(showText(issue))
  return issues.length > 0 ? EXIT.usage : EXIT.ok
}

function checkJobs(command: Command, terminal: Terminal, json: boolean): number {
  const { jobs, issues } = loadConfiguredJobs(configOf(command, terminal))
  if (json) terminal.out(JSON.stringify({ valid: [...jobs.keys()], issues }, null, 2))
  else {
    for (const issue of issues) terminal.err(showText(issue))
    terminal.out(`${jobs.size} job${jobs.size === 1 ? '' : 's'} valid, ${issues.length} fault${issues.length === 1 ? '' : 's'}.`)
  }
  return issues.length > 0 ? EXIT.usage : EXIT.ok
}

const count = (tools: number) => `${tools} tool${tools === 1 ? '' : 's'}`

const jsonOf = ({ name, file, version, definition }: Job) => ({ name, file, version, ...definition })
