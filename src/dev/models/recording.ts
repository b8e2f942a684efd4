// The answers of a model to one run, beside its job: jobs/<job>.recorded.json.
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { Failure } from '../../core/failure.ts'
import type { TurnItem } from '../../core/run.ts'
import type { RunView, ToolCallView } from '../../core/view.ts'
import type { Job } from '../../jobs/job.ts'
import { parseJson } from '../../lib/json/parse.ts'

const itemSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('message'), text: z.string() }),
  z.strictObject({ type: z.literal('refusal'), text: z.string() }),
  z.strictObject({ type: z.literal('tool_call'), callId: z.string(), name: z.string(), arguments: z.string() }),
])

const usageSchema = z.strictObject({ inputTokens: z.int(), cachedTokens: z.int(), outputTokens: z.int(), reasoningTokens: z.int() })

export const recordingSchema = z.strictObject({
  format: z.literal('nightshift-recording/1'),
  job: z.string(),
  /** Of the job when it was recorded. */
  version: z.string(),
  model: z.string(),
  recordedAt: z.string(),
  input: z.unknown(),
  turns: z.array(
    z.strictObject({ items: z.array(itemSchema), stopReason: z.enum(['end', 'cut', 'filtered', 'stopped']), usage: usageSchema }),
  ),
  /** What came of the run, and comes of it again when the answers are given again. */
  expect: z.strictObject({ status: z.string(), codes: z.array(z.string()), calls: z.array(z.string()) }),
})

export type Recording = z.output<typeof recordingSchema>

const ENDING = '.recorded.json'

const recordingFileOf = ({ file, name }: Pick<Job, 'file' | 'name'>): string => join(dirname(file), `${name}${ENDING}`)

/** Items in words alone: what a provider put beside them is for it alone, and may be a secret of it. */
export const wordsOf = (items: readonly TurnItem[]): Recording['turns'][number]['items'] =>
  items.flatMap((item): Recording['turns'][number]['items'] => {
    switch (item.type) {
      case 'message':
      case 'refusal':
        return [{ type: item.type, text: item.text }]
      case 'tool_call':
        return [{ type: item.type, callId: item.callId, name: item.name, arguments: item.arguments }]
      case 'reasoning':
        return []
    }
  })

export const callText = ({ server, tool, status }: Pick<ToolCallView, 'server' | 'tool' | 'status'>): string =>
  `${server} ${tool} ${status}`

/** What a run came to, in the words that a recording keeps; a code that is a reason and the failure counts once. */
export const outcomeOf = ({ status, reasons, failure, toolCalls }: RunView): Recording['expect'] => ({
  status,
  codes: [...new Set([...reasons, ...(failure ? [failure] : [])].map(({ code }) => code))].toSorted(),
  calls: toolCalls.map(callText).toSorted(),
})

/** Keeps what a model said in a run that is over, and what came of it. Returns the file. */
export function keepRecording({
  job,
  run,
  said,
  input,
}: {
  job: Job
  run: RunView
  said: Pick<Recording, 'model' | 'turns'>
  input: Record<string, unknown>
}): string {
  const file = recordingFileOf(job)
  const { name, version } = job
  const recordedAt = new Date().toISOString()
  write(file, { format: 'nightshift-recording/1', job: name, version, ...said, recordedAt, input, expect: outcomeOf(run) })
  return file
}

/** Put in place whole. */
function write(file: string, recording: Recording): void {
  const aside = `${file}.${process.pid}.tmp`
  writeFileSync(aside, `${JSON.stringify(recording, null, 2)}\n`)
  renameSync(aside, file)
}

/** The recordings beside the job files of a directory, by job. `COMMAND_INVALID` for a file that is no recording. */
export const readRecordings = (jobsDir: string): Map<string, Recording> =>
  new Map(
    readdirSync(jobsDir)
      .filter((file) => file.endsWith(ENDING))
      .toSorted()
      .map((file) => [basename(file, ENDING), readRecording(join(jobsDir, file))]),
  )

function readRecording(file: string): Recording {
  const wrong = (why: string) =>
    new Failure({
      code: 'COMMAND_INVALID',
      message: `${file} is no recording: ${why}.`,
      cure: 'Record it again: nightshift dev JOB --record.',
    })
  let value: unknown
  try {
    value = parseJson(readFileSync(file, 'utf8'))
  } catch {
    throw wrong('it is not JSON')
  }
  const read = recordingSchema.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  throw wrong(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`)
}
