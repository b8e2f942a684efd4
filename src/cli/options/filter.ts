import { InvalidArgumentError, Option, type Command } from 'commander'
import { z } from 'zod'
import { FAILURES, type FailureCode } from '../../core/failure.ts'
import { RUN_STATUSES } from '../../core/run.ts'
import { parseTime } from './time.ts'
import type { RunFilter } from '../../runs/queries.ts'

const isCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code)

export const filterOptions = z.object({
  job: z.string().optional(),
  status: z.enum(RUN_STATUSES).optional(),
  code: z.string().refine(isCode).optional(),
  by: z.string().optional(),
  since: z.date().optional(),
  until: z.date().optional(),
  tool: z.string().optional(),
  text: z.string().optional(),
})

/** Adds the options that say which runs are meant. */
export function addFilter(command: Command): Command {
  return command
    .option('--job <name>', 'only of this job')
    .addOption(new Option('--status <status>', 'only with this status').choices(RUN_STATUSES))
    .addOption(new Option('--code <code>', 'only with this failure code, or this reason').argParser(parseCode))
    .option('--by <name>', 'only asked for by this user or token')
    .addOption(new Option('--since <time>', 'only created since: 6h, 7d, or 2026-11-24T07:00:00Z').argParser(parseTime))
    .addOption(new Option('--until <time>', 'only created before').argParser(parseTime))
    .option('--tool <server.tool>', 'only those that called this tool')
    .option('--text <words>', 'only with these words in the output or the failure')
}

export function filterOf({ job, status, code, by, since, until, tool, text }: z.output<typeof filterOptions>): RunFilter {
  return { job, status: status && [status], code, requestedBy: by, since, until, tool, text }
}

function parseCode(text: string): FailureCode {
  if (!isCode(text)) throw new InvalidArgumentError('It is no failure code; docs/failures.md lists them.')
  return text
}
