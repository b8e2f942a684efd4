import type { Command } from 'commander'
import { z } from 'zod'
import { createApp } from '../../../app/app.ts'
import { EXIT } from '../../../core/failure-codes.ts'
import { addCase, recordCase, yamlOf } from '../../../eval/cases/record.ts'
import { showText } from '../../../lib/text.ts'
import { withWholeResults } from '../../../runs/results/kept.ts'
import { requireId, requireJob, requireRun } from '../../../runs/lookup.ts'
import { configOf, examples, quietLog } from '../../options/options.ts'
import type { Terminal } from '../../terminal/terminal.ts'

const optionsSchema = z.object({ expectOutput: z.boolean().default(false), write: z.boolean().default(false) })

export function addRecord(parent: Command, terminal: Terminal, done: (exitCode: number) => void): void {
  parent
    .command('record <run>')
    .description('make a case of a run: its input and times, and what its servers said; asks them for their tools, calls none')
    .option('--expect-output', 'take the output of the run for the truth')
    .option('--write', 'add it to jobs/<job>.cases.yaml instead of printing it')
    .addHelpText('after', examples('nightshift eval record run_019ac8 > case.yaml', 'nightshift eval record run_019ac8 --write'))
    .action(async (id: string, given: unknown, command: Command) => {
      const { expectOutput, write } = optionsSchema.parse(given)
      await using app = await createApp({ config: configOf(command, terminal), log: quietLog() })
      const run = await withWholeResults(app.db, await requireRun(app.db, await requireId(app.db, id)))
      const job = requireJob(app.jobs.jobs(), run.job, app.jobs.issues())
      const tools = await app.toolsToPin(job, terminal.signal)
      const recorded = recordCase({ run, job, tools, expectOutput, redact: app.resources.redactor.redact })
      terminal.out(
        write
          ? `Added to ${addCase(job, recorded)}. Say under expect what must come of it, then: nightshift eval ${job.name}`
          : showText(yamlOf(recorded)),
      )
      done(EXIT.ok)
    })
}
