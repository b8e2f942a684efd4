import { z } from 'zod'
import { createApp, loadConfiguredJobs } from '../../../app/app.ts'
import { showLine } from '../../../lib/text.ts'
import { exitOf, type Finding } from '../../../doctor/check.ts'
import { examine } from '../../../doctor/examine.ts'
import { configOf, examples, quietLog, type AddCommand } from '../../options/options.ts'
import { wrap, type Terminal } from '../../terminal/terminal.ts'

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
        open: (config) => createApp({ config, log: quietLog() }),
        spend,
        signal: terminal.signal,
      })
      for await (const finding of examined) {
        findings.push(finding)
        if (!json) terminal.out(showFinding(finding, terminal))
      }
      if (json) terminal.out(JSON.stringify(findings, null, 2))
      else terminal.out(`\n${summary(findings)}`)
      done(exitOf(findings))
    })
}

const MARKS = { ok: '✓', warning: '!', failed: '✗', skipped: '-' } as const

function showFinding({ check, status, message, cure }: Finding, { colors, columns }: Terminal): string {
  const color = { ok: colors.green, warning: colors.yellow, failed: colors.red, skipped: colors.dim }[status]
  const [first = '', ...others] = wrap(`${check}: ${showLine(message)}`, columns - 4)
  const below = [...others, ...(cure === undefined ? [] : wrap(showLine(cure), columns - 4))].map((line) => `\n    ${line}`)
  return `${color(MARKS[status])} ${first}${below.join('')}`
}

function summary(findings: readonly Finding[]): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length
  return `${count('ok')} ok, ${count('warning')} to look at, ${count('failed')} failed, ${count('skipped')} not checked.`
}
