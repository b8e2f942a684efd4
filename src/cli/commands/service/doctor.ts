import { z } from 'zod'
import { openExamined } from '../../../app/open/examined.ts'
import { loadConfiguredJobs } from '../../../app/open/jobs.ts'
import { environment } from '../../../config/environment.ts'
import { remarksOn } from '../../../config/surroundings.ts'
import { exitOf, type Finding } from '../../../doctor/check.ts'
import { examine } from '../../../doctor/examine/examine.ts'
import { configOf, examples, type AddCommand } from '../../options/options.ts'
import { showFinding } from '../../terminal/finding.ts'

const optionsSchema = z.object({ json: z.boolean().default(false), spend: z.boolean().default(false) })

export const addDoctor: AddCommand = (program, terminal, done) => {
  program
    .command('doctor')
    .description('check everything that runs need, in order, each with its cure; calls no tool')
    .option('--spend', 'ask each model a word, for a few tokens')
    .option('--json', 'one JSON value on stdout')
    .addHelpText(
      'after',
      examples('nightshift doctor', 'nightshift doctor --spend', 'nightshift doctor --json | jq ".[] | select(.status != \\"ok\\")"'),
    )
    .action(async (options: unknown, command) => {
      const { json, spend } = optionsSchema.parse(options)
      const findings: Finding[] = []
      const examined = examine({
        readConfig: () => configOf(command, terminal),
        loadJobs: loadConfiguredJobs,
        open: openExamined,
        spend,
        remarks: (config) => remarksOn(environment, config),
        signal: terminal.signal,
      })
      // oxlint-disable-next-line waits/bounded -- each check is bounded (doctor/check.ts)
      for await (const finding of examined) {
        findings.push(finding)
        if (!json) terminal.out(showFinding(finding, terminal))
      }
      if (json) terminal.out(JSON.stringify(findings, null, 2))
      else terminal.out(`\n${summary(findings)}`)
      done(exitOf(findings))
    })
}

function summary(findings: readonly Finding[]): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length
  return `${count('ok')} ok, ${count('warning')} to look at, ${count('failed')} failed, ${count('skipped')} not checked.`
}
