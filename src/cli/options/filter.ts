import { InvalidArgumentError, Option, type Command } from 'commander'
import { z } from 'zod'
import { FAILURES, type FailureCode } from '../../core/failure-codes.ts'
import { RUN_STATUSES, STATUS_WORDS, statusesOf, type RunStatus, type StatusWord } from '../../core/run.ts'
import { nearest } from '../../lib/near.ts'
import { showLine } from '../../lib/text.ts'
import { showTags } from '../terminal/tags.ts'
import { collectTag } from './input.ts'
import { parseTime, timeText } from './time.ts'
import type { RunFilter } from '../../runs/queries.ts'

const isCode = (code: string): code is FailureCode => Object.hasOwn(FAILURES, code)

export const filterOptions = z.object({
  job: z.string().optional(),
  status: z.array(z.enum(RUN_STATUSES)).optional(),
  code: z.string().refine(isCode).optional(),
  by: z.string().optional(),
  since: z.date().optional(),
  until: z.date().optional(),
  endedSince: z.date().optional(),
  endedUntil: z.date().optional(),
  tool: z.string().optional(),
  tag: z.record(z.string(), z.string()).optional(),
  text: z.string().optional(),
})

/** Adds the options that say which runs are meant. */
export function addFilter(command: Command): Command {
  return command
    .option('--job <name>', 'only of this job')
    .addOption(
      new Option('--status <names>', 'only with one of these, with commas between; notGreen: over without success').argParser(parseStatus),
    )
    .addOption(new Option('--code <code>', 'only with this failure code, or this reason').argParser(parseCode))
    .option('--by <name>', 'only asked for by this user or token')
    .addOption(new Option('--since <time>', 'only created since: 6h, 7d, 2026-11-24 (UTC), or 2026-11-24T07:00:00Z').argParser(parseTime))
    .addOption(new Option('--until <time>', 'only created before').argParser(parseTime))
    .addOption(new Option('--ended-since <time>', 'only ended since, whenever they were created').argParser(parseTime))
    .addOption(new Option('--ended-until <time>', 'only ended before').argParser(parseTime))
    .addOption(new Option('--tool <server.tool>', 'only those that called this tool').argParser(parseTool))
    .addOption(new Option('--tag <name=value...>', 'only with this tag, or all of these').argParser(collectTag))
    .option('--text <words>', 'only with these words in the output or the failure')
}

export function filterOf({ by, tag, ...filter }: z.output<typeof filterOptions>): RunFilter {
  return { ...filter, requestedBy: by, tags: tag }
}

const isWord = (name: string): name is StatusWord => STATUS_WORDS.some((word) => word === name)

function parseStatus(text: string): RunStatus[] {
  const words = text.split(',').map((word) => word.trim())
  if (!words.every(isWord)) throw new InvalidArgumentError(`There are ${RUN_STATUSES.join(', ')}, and notGreen.`)
  return statusesOf(words)
}

function parseTool(text: string): string {
  if (!/^[^.]+\..+$/.test(text)) throw new InvalidArgumentError('Write it as server.tool, such as labor.query.')
  return text
}

function parseCode(text: string): FailureCode {
  if (!isCode(text)) {
    const near = nearest(text, Object.keys(FAILURES))
    throw new InvalidArgumentError(
      `It is no failure code; ${near === undefined ? 'docs/failures.md lists them.' : `did you mean ${near}?`}`,
    )
  }
  return text
}

/** What a filter means, for the person who is asked about it. */
export function describeFilter({
  ids,
  job,
  status,
  code,
  requestedBy,
  since,
  until,
  endedSince,
  endedUntil,
  tool,
  tags,
  text,
  held,
}: RunFilter): string {
  const parts = [
    ids && `${ids.length} named`,
    job !== undefined && `of ${showLine(job)}`,
    status && `that are ${status.join(' or ')}`,
    code !== undefined && `with ${code}`,
    requestedBy !== undefined && `asked for by ${showLine(requestedBy)}`,
    tool !== undefined && `that called ${showLine(tool)}`,
    tags && `tagged ${showTags(tags)}`,
    text !== undefined && `with the words ${showLine(text)}`,
    held && 'that a pause or a limit holds',
    since && `created since ${timeText(since)}`,
    until && `created before ${timeText(until)}`,
    endedSince && `that ended since ${timeText(endedSince)}`,
    endedUntil && `that ended before ${timeText(endedUntil)}`,
  ]
  return `runs ${parts.filter((part) => typeof part === 'string').join(', ')}`
}
