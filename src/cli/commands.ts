import type { AddCommand } from './options/options.ts'

/** Commands that one file adds, and the file: read only when one of them is asked for, or all of them for the help. */
interface Commands {
  names: readonly string[]
  load: () => Promise<AddCommand>
}

const commands = (names: string, load: () => Promise<AddCommand>): Commands => ({ names: names.split(' '), load })

/** All commands, by what a person wants to do. */
const COMMANDS: readonly [heading: string, commands: readonly Commands[]][] = [
  [
    'Begin:',
    [
      commands('demo', async () => (await import('./commands/setup/demo.ts')).addDemo),
      commands('init', async () => (await import('./commands/setup/init.ts')).addInit),
      commands('completion complete', async () => (await import('./commands/setup/completion.ts')).addCompletion),
      commands('compose-init', async () => (await import('./commands/setup/compose-init.ts')).addComposeInit),
      commands('doctor', async () => (await import('./commands/service/doctor.ts')).addDoctor),
      commands('start', async () => (await import('./commands/service/start.ts')).addStart),
    ],
  ],
  [
    'Jobs:',
    [
      commands('models', async () => (await import('./commands/jobs/models.ts')).addModels),
      commands('jobs', async () => (await import('./commands/jobs/jobs.ts')).addJobs),
      commands('dev', async () => (await import('./commands/dev/dev.ts')).addDev),
      commands('test', async () => (await import('./commands/dev/test.ts')).addTest),
      commands('schedules', async () => (await import('./commands/jobs/schedules.ts')).addSchedules),
      commands('eval', async () => (await import('./commands/eval/eval.ts')).addEval),
    ],
  ],
  [
    'Runs:',
    [
      commands('status', async () => (await import('./commands/service/status.ts')).addStatus),
      commands('run', async () => (await import('./commands/runs/run.ts')).addRun),
      commands('runs', async () => (await import('./commands/runs/runs.ts')).addRuns),
      commands('show', async () => (await import('./commands/runs/show.ts')).addShow),
      commands('logs', async () => (await import('./commands/runs/logs.ts')).addLogs),
      commands('spend', async () => (await import('./commands/runs/spend.ts')).addSpend),
      commands('watch', async () => (await import('./commands/runs/watch.ts')).addWatch),
      commands('retry', async () => (await import('./commands/runs/retry.ts')).addRetry),
      commands('cancel', async () => (await import('./commands/runs/cancel.ts')).addCancel),
    ],
  ],
  [
    'Hold and tidy:',
    [
      commands('pause drain resume', async () => (await import('./commands/jobs/pause.ts')).addPause),
      commands('backup restore', async () => (await import('./commands/service/backup.ts')).addBackup),
      commands('prune', async () => (await import('./commands/service/prune.ts')).addPrune),
    ],
  ],
  [
    'Access:',
    [
      commands('account', async () => (await import('./commands/access/account.ts')).addAccount),
      commands('connect disconnect', async () => (await import('./commands/access/connect.ts')).addConnect),
      commands('minter', async () => (await import('./commands/service/minter.ts')).addMinter),
      commands('api-tokens', async () => (await import('./commands/access/api-tokens.ts')).addApiTokens),
      commands('api-token', async () => (await import('./commands/access/api-token.ts')).addApiToken),
    ],
  ],
  [
    'Audit:',
    [
      commands('acts', async () => (await import('./commands/audit/acts.ts')).addActs),
      commands('audit', async () => (await import('./commands/audit/audit.ts')).addAudit),
      commands('evidence', async () => (await import('./commands/audit/evidence.ts')).addEvidence),
    ],
  ],
]

/** The names of all commands, but for the one that the scripts of `completion` ask. */
export const commandNames: readonly string[] = COMMANDS.flatMap(([, some]) => some.flatMap(({ names }) => names)).filter(
  (name) => name !== 'complete',
)

/** What the words of a command line need: the file of the first one that is a command, none for the version alone, and all of them else. */
export async function commandsFor(args: readonly string[]): Promise<[heading: string, adds: AddCommand[]][]> {
  if (args[0] === '--version') return []
  const all = COMMANDS.flatMap(([, some]) => some)
  // The value of an option before the command may be the name of another one: then both are there.
  const named = new Set(args.flatMap((arg) => all.filter(({ names }) => names.includes(arg))))
  const asksForHelp = args[0] === 'help'
  const wanted = named.size === 0 || asksForHelp ? new Set(all) : named
  return Promise.all(
    COMMANDS.map(async ([heading, some]): Promise<[string, AddCommand[]]> => [
      heading,
      await Promise.all(some.filter((one) => wanted.has(one)).map(({ load }) => load())),
    ]),
  )
}
