// Makes a case of a run: what it was given and what its servers said, so that it can be run again without them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { Document, isMap, isSeq, parseDocument, stringify } from 'yaml'
import { Failure } from '../../core/failure.ts'
import { redactTexts } from '../../lib/redact.ts'
import { isFinal } from '../../core/run.ts'
import { OWN_SERVER } from '../../core/words/endings.ts'
import type { RunView } from '../../core/view.ts'
import { INSTRUCTIONS, type PinnedTool } from '../../jobs/lock.ts'
import type { Job } from '../../jobs/job.ts'
import { inZone } from '../../lib/time/zoned.ts'
import { caseFileOf, type CaseFile } from './cases.ts'
import type { ExpectedValue } from './expect.ts'

const OWN = `${OWN_SERVER}__`

type WrittenCase = CaseFile['cases'][number]
type WrittenRecord = NonNullable<WrittenCase['record']>

export interface RecordOptions {
  run: RunView
  job: Job
  /** The tools of the job as its servers describe them: a run keeps the calls and not these. */
  tools: readonly PinnedTool[]
  /** The run's output is taken for the truth. */
  expectOutput: boolean
  /** Takes the secrets of this process out. */
  redact: (text: string) => string
}

/** The case, without secrets. Throws `COMMAND_INVALID` for a run that is not over. */
export function recordCase(options: RecordOptions): unknown {
  const { run, redact } = options
  if (!isFinal(run.status))
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The run ${run.id} is ${run.status}: it is not over.`,
      cure: 'Wait until it is.',
    })
  if (run.input === null)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The content of run ${run.id} was removed by retention: there is nothing to make a case of.`,
      cure: 'Name a younger run, or raise retention.content.',
    })
  // Text by text: taken out of YAML, a secret would leave what is read as something else.
  return redactTexts(caseOf(options), redact)
}

/** A case as it stands in a file. */
export const yamlOf = (one: unknown): string => stringify([one], { lineWidth: 0 })

/** Adds a case to the file of the job's cases; gives the file's name. Comments and order stay. */
export function addCase(job: Job, one: unknown): string {
  const file = caseFileOf(job.file)
  const document = existsSync(file) ? parseDocument(readFileSync(file, 'utf8')) : new Document({ cases: [] })
  if (document.errors.length > 0)
    throw new Failure({ code: 'JOB_INVALID', message: `${file} is not valid YAML, so nothing can be added to it.` })
  const node = document.createNode(one)
  const name: unknown = isMap(node) ? node.get('name') : undefined
  const cases: unknown = document.get('cases')
  if (isSeq(cases) && cases.items.some((item) => isMap(item) && item.get('name') === name))
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `${file} has a case ${String(name)} already.`,
      cure: 'Give that one another name.',
    })
  document.addIn(['cases'], node)
  writeFileSync(file, document.toString({ lineWidth: 0 }))
  return file
}

function caseOf({ run, job, tools, expectOutput }: RecordOptions): WrittenCase {
  const { timezone } = job.definition
  const clock = (time: string) => inZone(new Date(time), timezone).toPlainDateTime().toString({ smallestUnit: 'second' }).replace('T', ' ')
  const began = run.attempts[0]?.startedAt ?? run.createdAt
  return {
    name: `run-${run.id.slice(-12).toLowerCase()}`,
    about: `${run.status}${run.reasons.length === 0 ? '' : `: ${run.reasons.map(({ code }) => code).join(', ')}`}`,
    ...(run.trigger.kind === 'schedule' && { at: clock(run.trigger.fireAt) }),
    now: clock(began),
    ...(typeof run.input === 'object' && run.input !== null && Object.keys(run.input).length > 0 && { input: { ...run.input } }),
    record: recordOf(run, job, tools),
    expect: { ending: 'succeeded', ...(expectOutput && { output: Object.fromEntries(valuesOf(run.output)) }) },
  }
}

function recordOf(run: RunView, { definition }: Job, tools: readonly PinnedTool[]): WrittenRecord {
  const servers = Object.keys(definition.tools).map((server) => {
    const mine = tools.filter((one) => one.server === server)
    const instructions = mine.find(({ tool }) => tool === INSTRUCTIONS)?.definition['instructions']
    const calls = run.toolCalls.flatMap(({ server: called, tool, arguments: args, status, result }) =>
      // What was never sent, or had no answer, says nothing of the server; a resource that was read is no call of a tool.
      called === server && result && status !== 'refused' && !tool.startsWith(OWN)
        ? [{ tool, arguments: args, error: status !== 'ok', text: result.text }]
        : [],
    )
    return [
      server,
      {
        ...(typeof instructions === 'string' && { instructions }),
        tools: mine.flatMap(({ tool, definition: listed }) => (tool === INSTRUCTIONS ? [] : [listed])),
        calls,
      },
    ] as const
  })
  return { run: run.id, servers: Object.fromEntries(servers) }
}

/** The values of an output by path, such as rows.0.rate. */
function* valuesOf(value: unknown, path: readonly string[] = []): Generator<[string, ExpectedValue]> {
  if (typeof value === 'object' && value !== null) {
    if (Array.isArray(value)) yield [path.join('.'), { length: value.length }]
    for (const [key, one] of Object.entries(value)) yield* valuesOf(one, [...path, key])
  } else if (path.length > 0 && (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null))
    yield [path.join('.'), value]
}
