import { z } from 'zod'
import { createApp } from '../../../app/app.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { isFinal } from '../../../core/run.ts'
import { queueRun } from '../../../runs/create.ts'
import { delaysOf } from '../../../schedules/delays.ts'
import { requireJob, requireRun } from '../../../runs/lookup.ts'
import { exitOfRun } from '../../terminal/exit.ts'
import { followRun } from './follow.ts'
import { collectInput, collectTag } from '../../options/input.ts'
import { createLines } from '../../terminal/lines.ts'
import { configOf, examples, quietLog, type AddCommand } from '../../options/options.ts'
import { reportText } from '../../terminal/output.ts'
import { whoami } from '../../options/whoami.ts'

const optionsSchema = z.object({
  json: z.boolean().default(false),
  follow: z.boolean().default(false),
  input: z.record(z.string(), z.unknown()).default({}),
  tag: z.record(z.string(), z.string()).optional(),
})

export const addRun: AddCommand = (program, terminal, done) => {
  program
    .command('run <job>')
    .description('queue a run of a job; a worker does it')
    .option('-i, --input <key=value...>', 'input of the run; numbers, true, false and JSON are read as such', collectInput)
    .option('-t, --tag <name=value...>', 'what to find the run by', collectTag)
    .option('-f, --follow', 'tell what happens until the run is over; the exit code is its outcome')
    .option('--json', 'one JSON value on stdout: the run, as show --json')
    .addHelpText(
      'after',
      examples(
        'nightshift run labor-report',
        'nightshift run industry-trend --input industry=Mining from=2005 --follow',
        'nightshift run labor-report --follow --json | jq .output',
      ),
    )
    .action(async (name: string, options: unknown, command) => {
      const { json, follow, input, tag: tags } = optionsSchema.parse(options)
      await using app = await createApp({ config: configOf(command, terminal), log: quietLog() })
      const job = requireJob(app.jobs.jobs(), name, app.jobs.issues())
      const id = await queueRun(app, job, { trigger: { kind: 'cli' }, input, tags, requestedBy: whoami() })
      const lines = createLines(terminal)
      for (const delay of await delaysOf(app.db, name)) terminal.err(`It does not start yet: ${delay}`)
      const tell = json ? terminal.err : terminal.out
      if (!follow) {
        terminal.out(
          json ? JSON.stringify(await requireRun(app.db, id), null, 2) : `${lines.step('queued', id)}\nSee it with: nightshift show ${id}`,
        )
        return done(EXIT.ok)
      }
      tell(lines.step('queued', id))
      const run = await followRun(app.db, id, terminal, tell)
      if (!isFinal(run.status) && run.status !== 'waiting') {
        terminal.err(`The run goes on without this command. See it with: nightshift show ${id}`)
        terminal.signal.throwIfAborted()
      }
      if (json) terminal.out(JSON.stringify(run, null, 2))
      else {
        for (const reason of run.reasons) terminal.out(lines.reason(reason))
        terminal.out(lines.step('run', `${id} ${lines.status(run.status)}`))
        const report = reportText(run, terminal)
        if (report !== undefined) terminal.out(`\n${report}`)
      }
      done(exitOfRun(run))
    })
}
