import { z } from 'zod'
import { durationText } from '../lib/duration.ts'
import { nameUnder } from '../lib/name.ts'
import { contextSchema, writtenContextSchema } from './sections/context.ts'
import { keptLimitsSchema, limitsSchema, retrySchema } from './sections/limits.ts'
import { modelSchema } from './sections/model.ts'
import { deliverSchema, jsonSchema, outputSchema } from './sections/output.ts'
import { scheduleSchema, zone } from './sections/schedule.ts'
import { toolsSchema } from './sections/tools.ts'

/** Digests of the tools' definitions, by server and tool: from the lock file of a job with pin: true. */
const pinnedSchema = z.record(z.string(), z.record(z.string(), z.string()))

const definitionShape = {
  description: z.string().optional().describe('What the job is for, in a line.'),
  account: nameUnder('accounts').describe('Service account under accounts: in the configuration.'),
  delegate: z
    .enum(['local', 'hosted'])
    .default('local')
    .describe('local: the worker runs the tool loop. hosted: the provider calls the servers itself, with the account’s token.'),
  model: modelSchema,
  timezone: zone.optional().describe('IANA time zone of the dates in its texts. Without it, that of the schedule, or UTC.'),
  schedule: scheduleSchema.optional().describe('When the job runs by itself. Without it, only when asked.'),
  input: jsonSchema.optional().describe('JSON Schema (2020-12) of the input of a run.'),
  contract: z
    .enum(['standard', 'none'])
    .default('standard')
    .describe(
      'What Nightshift tells the model before your instructions: that nobody is there, how to end, what to do when a tool fails. none leaves it out.',
    ),
  instructions: z.string().optional().describe('Liquid template of the system instructions.'),
  prompt: z
    .string()
    .min(1, 'is empty; write what the model is to do')
    .describe('Liquid template of the task. Knows input, fire_time, now, previous_fire, period, trigger, timezone, run_id and job.'),
  tools: toolsSchema.describe('MCP servers by the name of their route in Pomerium.'),
  output: outputSchema.optional().describe('Without it the answer is text.'),
  limits: limitsSchema.prefault({}).describe('What a run may use.'),
  retry: retrySchema.prefault({}).describe('What follows a failure that time can heal.'),
  staleAfter: durationText('1ms')
    .default('1h')
    .describe('An attempt that goes on later than this after the results before it tells the model how old they are.'),
  onUnknown: z
    .enum(['stop', 'tell-model'])
    .default('stop')
    .describe('When the outcome of a call that is not repeatable is unknown: end the run, or tell the model. Never green.'),
  pin: z
    .boolean()
    .default(false)
    .describe('The tools’ definitions must be those of jobs/<job>.lock.yaml, which nightshift jobs pin writes.'),
  concurrency: z
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe(
      'Most runs of this job at a time, over all workers. A run keeps the limit that it was asked for with, and none starts beside one that allows fewer.',
    ),
  deliver: z
    .array(deliverSchema, {
      error: ({ code }) =>
        code === 'invalid_type' ? 'must be a list; begin each entry with a dash, as in - { webhook: team, when: changed }' : undefined,
    })
    .max(10)
    .default([])
    .describe('Where the report of each run goes, sent by the worker and never by the model.'),
}

interface Zoned {
  timezone?: string | undefined
  schedule?: z.output<typeof scheduleSchema> | undefined
}

function checkZone({ timezone, schedule }: Zoned, context: z.RefinementCtx): void {
  if (!schedule || schedule.timezone !== undefined || timezone !== undefined) return
  context.addIssue({
    code: 'custom',
    path: ['schedule', 'timezone'],
    message: 'is missing; name a time zone such as Europe/Zurich, here or as timezone: of the job',
  })
}

/** The zone of a job's texts. */
export const zoneOf = ({ timezone, schedule }: Zoned): string => timezone ?? schedule?.timezone ?? 'UTC'

/** The zone of the job and of its schedule, whichever of them was written. */
function fillZones<T extends Zoned>(job: T) {
  const timezone = zoneOf(job)
  const { schedule } = job
  return { ...job, timezone, ...(schedule && { schedule: { ...schedule, timezone: schedule.timezone ?? timezone } }) }
}

/** The format of a job file. */
export const jobSchema = z
  .strictObject({
    $schema: z.string().optional(),
    ...definitionShape,
    context: writtenContextSchema.describe('Files, resources and prompts that are read before the first turn and told with the prompt.'),
  })
  .superRefine(checkZone)
  .transform(fillZones)

/** What is kept of a job file. Its defaults are part of what it means: a later version may add fields, and never changes a default. */
export const definitionSchema = z
  .strictObject({ ...definitionShape, limits: keptLimitsSchema.prefault({}), context: contextSchema, pinned: pinnedSchema.optional() })
  .superRefine(checkZone)
  .transform(fillZones)

export type JobDefinition = z.output<typeof definitionSchema>

/**
 * A definition as its row keeps it, with its defaults. Throws when it is none, and also for a field of a later version: it says something that decides the run,
 * such as a limit or a check, and the run is left to a worker that knows it.
 */
export const readDefinition = (kept: unknown): JobDefinition => definitionSchema.parse(kept)

/** The same, and undefined when it is none that this version can read. */
export function tryReadDefinition(kept: unknown): JobDefinition | undefined {
  try {
    return readDefinition(kept)
  } catch {
    return undefined
  }
}
