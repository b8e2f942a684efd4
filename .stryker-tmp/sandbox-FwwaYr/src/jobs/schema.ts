// @ts-nocheck
import { CronExpressionParser } from 'cron-parser'
import { z } from 'zod'
import { durationText } from '../lib/duration.ts'
import { DELIVER_WHEN } from '../core/rules/delivery.ts'
import { deliverShape, destinationNames, namesOneDestination } from '../delivery/destinations/registry.ts'
import { nameText as name } from '../lib/name.ts'
import { MISSED_POLICIES, OVERLAP_POLICIES } from '../core/rules/fires.ts'

const jsonSchema = z.record(z.string(), z.unknown())

function isZone(timezone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

const scheduleSchema = z
  .strictObject({
    cron: z.string().describe('Five fields (minute hour day month weekday) or six with seconds first.'),
    timezone: z
      .string()
      .refine(isZone, 'is not a time zone; use a name such as Europe/Zurich or UTC')
      .describe('IANA time zone of the cron fields.'),
    missed: z
      .enum(MISSED_POLICIES)
      .default('last')
      .describe('Fires that passed while no scheduler was running: none, the last one, or all (at most 100).'),
    overlap: z
      .enum(OVERLAP_POLICIES)
      .default('skip')
      .describe('When an earlier run of the job is not over: skip the fire, or let it wait.'),
  })
  .superRefine(({ cron, timezone }, context) => {
    if (!isZone(timezone)) return
    const fields = cron.trim().split(/\s+/).length
    try {
      if (fields !== 5 && fields !== 6) throw new Error(`it has ${fields} fields`)
      CronExpressionParser.parse(cron, { tz: timezone })
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error)
      context.addIssue({
        code: 'custom',
        path: ['cron'],
        message: `is not a cron expression (${cause}); write for example "0 7 * * 1" for Mondays at 07:00`,
      })
    }
  })

const toolsSchema = z
  .strictObject({
    allow: z.array(z.string().min(1)).min(1).describe('Tools of this server that the job may call. Nothing else is shown to the model.'),
    repeatable: z
      .array(z.string())
      .default([])
      .describe('Tools among them that may run twice without harm. Any other whose outcome is unknown stops the run.'),
    required: z
      .boolean()
      .default(true)
      .describe('The run fails before it spends a token when the server or one of the tools is not there.'),
  })
  .superRefine(({ allow, repeatable }, context) => {
    for (const tool of repeatable) {
      if (!allow.includes(tool))
        context.addIssue({
          code: 'custom',
          path: ['repeatable'],
          message: `names ${tool}, which is not under allow; add it there or take it out here`,
        })
    }
  })

const limitsSchema = z.strictObject({
  turns: z.int().min(1).max(1000).default(20).describe('Most model answers.'),
  toolCalls: z.int().min(0).max(10_000).default(50).describe('Most tool calls.'),
  tokens: z.int().min(1).optional().describe('Most tokens, input and output together.'),
  costUsd: z.number().positive().optional().describe('Most money in USD. The model needs a price in the configuration.'),
  deadline: durationText.default('10m').describe('Longest time an attempt may take, such as 10m.'),
  resultBytes: z
    .int()
    .min(256)
    .default(262_144)
    .describe('Largest tool result given to the model; what is beyond is cut and the run is not green.'),
  outputBytes: z.int().min(256).default(1_048_576).describe('Largest answer that is kept; what is beyond is cut and the run is not green.'),
})

const deliverSchema = z
  .strictObject({
    ...deliverShape,
    when: z
      .enum(DELIVER_WHEN)
      .default('always')
      .describe('always, when the output changed since the run before, or when the run is not green.'),
  })
  .refine(namesOneDestination, `needs exactly one of ${destinationNames()}`)

/** Digests of the tools' definitions, by server and tool: from the lock file of a job with pin: true. */
const pinnedSchema = z.record(z.string(), z.record(z.string(), z.string()))

const retrySchema = z.strictObject({
  attempts: z.int().min(1).max(100).default(3).describe('Most attempts, the first included.'),
  backoff: durationText.default('30s').describe('Wait before the second attempt; doubled for each further one.'),
})

const definitionShape = {
  description: z.string().optional().describe('What the job is for, in a line.'),
  account: name.describe('Service account under accounts: in the configuration.'),
  delegate: z
    .enum(['local', 'hosted'])
    .default('local')
    .describe('local: the worker runs the tool loop. hosted: the provider calls the servers itself, with the account’s token.'),
  model: z
    .strictObject({
      provider: name.describe('Provider under providers: in the configuration.'),
      name: z.string().min(1).describe('The provider’s name of the model.'),
    })
    .describe('The model that does the work.'),
  schedule: scheduleSchema.optional().describe('When the job runs by itself. Without it, only when asked.'),
  input: jsonSchema.optional().describe('JSON Schema (2020-12) of the input of a run.'),
  instructions: z.string().optional().describe('Liquid template of the system instructions.'),
  prompt: z.string().min(1).describe('Liquid template of the task. Knows input, fire_time, run_id and job.'),
  tools: z
    .record(name, toolsSchema)
    .refine((tools) => Object.keys(tools).length > 0, 'is empty; name at least one server')
    .describe('MCP servers by the name of their route in Pomerium.'),
  output: z
    .strictObject({ schema: jsonSchema.describe('JSON Schema (2020-12) that the answer must match.') })
    .optional()
    .describe('Without it the answer is text.'),
  limits: limitsSchema.prefault({}).describe('What a run may use.'),
  retry: retrySchema.prefault({}).describe('What follows a failure that time can heal.'),
  onUnknown: z
    .enum(['stop', 'tell-model'])
    .default('stop')
    .describe('When the outcome of a call that is not repeatable is unknown: end the run, or tell the model. Never green.'),
  pin: z
    .boolean()
    .default(false)
    .describe('The tools’ definitions must be those of jobs/<job>.lock.yaml, which nightshift jobs pin writes.'),
  concurrency: z.int().min(1).max(10_000).optional().describe('Most runs of this job at a time, over all workers.'),
  deliver: z
    .array(deliverSchema)
    .max(10)
    .default([])
    .describe('Where the report of each run goes, sent by the worker and never by the model.'),
}

/** The format of a job file. */
export const jobSchema = z.strictObject({ $schema: z.string().optional(), ...definitionShape })

/** What is kept of a job file: defaults are filled in, so it says everything that decides a run. */
export const definitionSchema = z.strictObject({ ...definitionShape, pinned: pinnedSchema.optional() })

export type JobDefinition = z.output<typeof definitionSchema>
