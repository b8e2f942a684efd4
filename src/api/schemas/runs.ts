import { z } from '@hono/zod-openapi'
import { PHASES, RUN_STATUSES } from '../../core/run.ts'
import type { RunView } from '../../core/view.ts'
import { actFields } from './acts.ts'
import { anyJson, codeSchema, time, timeOrNull } from './common.ts'
import { shownTags } from './tags.ts'

export const statusSchema = z.enum(RUN_STATUSES).openapi('RunStatus')

const failureSchema = z
  .object({
    code: codeSchema,
    message: z.string(),
    cure: z.string().optional(),
    retry: z.enum(['later', 'never', 'after-connection']),
    requestId: z.string().optional(),
    retryAfterMs: z.number().optional(),
    server: z.string().optional(),
  })
  .openapi('Failure')
const reasonSchema = z.object({ code: codeSchema, message: z.string(), cure: z.string().optional() }).openapi('Reason')
const usageSchema = z
  .object({
    inputTokens: z.number(),
    cachedTokens: z.number(),
    outputTokens: z.number(),
    cacheWriteTokens: z.number().optional().describe('Part of inputTokens, written into the provider’s cache, where it says so.'),
    reasoningTokens: z.number(),
    estimated: z
      .literal(true)
      .optional()
      .describe(
        'The provider did not say what was used, in whole or in part: input and output are an estimate, by the bytes of request and answer.',
      ),
  })
  .openapi('Usage')
const endingSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('incomplete'), because: z.string(), what: z.string(), tried: z.string(), draft: z.string().optional() }),
  z.object({ kind: z.literal('nothing-new'), why: z.string() }),
])
const triggerSchema = z
  .union([
    z.object({ kind: z.literal('schedule'), fireAt: z.string(), backfill: z.boolean().optional() }),
    z.object({ kind: z.literal('api') }),
    z.object({ kind: z.literal('cli') }),
  ])
  .openapi('Trigger')
/** What came beside the words, for the provider and API that it came from. */
const kept = { raw: anyJson.optional(), from: z.string().optional() }
const itemSchema = z.union([
  z.object({
    type: z.literal('message'),
    text: z.string(),
    phase: z.enum(PHASES).optional().describe('Whether it is the answer, or was said on the way to it.'),
    ...kept,
  }),
  z.object({ type: z.literal('refusal'), text: z.string() }),
  z.object({ type: z.literal('tool_call'), callId: z.string(), name: z.string(), arguments: z.string(), ...kept }),
  z.object({ type: z.literal('reasoning'), raw: anyJson, from: z.string().optional() }),
])
const decisionSchema = z
  .object({ allowed: z.boolean(), reasons: z.array(z.string()), requestId: z.string(), matchedBy: z.string(), time })
  .describe('What Pomerium’s log says about it, once it was joined.')
  .openapi('Decision')
const callStatus = z.enum(['sent', 'ok', 'error', 'denied', 'refused', 'not_run', 'unknown'])

const keptSchema = z.object({ digest: z.string().describe('SHA-256, hexadecimal.'), bytes: z.int() })

/** A run, whole: the same as `show --json`. */
export const runSchema = z
  .object({
    id: z.string(),
    job: z.string(),
    jobVersion: z.string(),
    status: statusSchema,
    reasons: z.array(reasonSchema),
    endedAs: z
      .object({ status: statusSchema, reasons: z.array(reasonSchema) })
      .nullable()
      .describe('What it came to before calls were found that its provider did not report.'),
    failure: failureSchema.nullable(),
    trigger: triggerSchema,
    requestedBy: z.string().nullable(),
    tags: shownTags,
    account: z.string(),
    retryOf: z.string().nullable(),
    heldBy: z.string().nullable(),
    afterRun: z.string().nullable().describe('The run that must be over before this queued one begins.'),
    nextAttemptAt: timeOrNull.describe('When a queued run may begin, or be tried again.'),
    expireAt: timeOrNull.describe('When a run that nobody has begun is given up.'),
    waitsFor: z
      .object({ kind: z.literal('connection'), account: z.string(), server: z.string() })
      .nullable()
      .describe('What a waiting run waits for.'),
    input: anyJson,
    output: anyJson,
    outputText: z.string().nullable(),
    ending: endingSchema.nullable(),
    mended: z.array(z.string()),
    usage: usageSchema,
    cost: z.object({
      usd: z.number().nullable().describe('What is known of it; null when nothing is.'),
      atLeast: z.boolean().describe('Some of what was used is not known: the run cost more than that.'),
    }),
    models: z
      .array(
        z.object({
          provider: z.string().nullable(),
          model: z.string(),
          tier: z.string().nullable().describe('The service tier that the provider said.'),
          turns: z.int(),
        }),
      )
      .describe('The models that answered, in the order in which they first did.'),
    attempts: z.array(
      z.object({
        number: z.int(),
        status: z.string(),
        worker: z.string(),
        conversation: z.int(),
        jobVersion: z.string(),
        prompt: z.string().nullable(),
        instructions: z.string().nullable(),
        contract: z.string().nullable(),
        failure: failureSchema.nullable(),
        output: anyJson,
        outputText: z.string().nullable(),
        ending: endingSchema.nullable(),
        mended: z.array(z.string()).nullable(),
        reasons: z.array(reasonSchema).nullable(),
        startedAt: time,
        finishedAt: timeOrNull,
        mayGoOnUntil: timeOrNull.describe('Until when its provider, which has no background mode, may go on after it.'),
      }),
    ),
    turns: z.array(
      z.object({
        number: z.int(),
        attempt: z.int(),
        told: z.string().nullable(),
        purpose: z
          .string()
          .nullable()
          .describe(
            'What it was for beside the work itself: summary, where the model wrote notes on what did not fit its window any more.',
          ),
        putAside: z.int().describe('How many results were put aside before it: the model was told their ids in their place.'),
        compacted: z.int().describe('How often a hosted provider says that it compacted what was read, in this answer.'),
        notes: z.string().nullable().describe('The notes of the model, of a summary: they replace what was said before them.'),
        items: z.array(itemSchema),
        stopReason: z.string(),
        responseId: z.string().nullable(),
        providerRequestId: z.string().nullable(),
        provider: z.string().nullable().describe('By its name in the configuration; null in runs of an earlier version.'),
        model: z.string(),
        tier: z.string().nullable().describe('The service tier that the provider said.'),
        waits: z
          .array(
            z.object({
              at: time,
              provider: z.string(),
              model: z.string(),
              code: codeSchema,
              message: z.string(),
              waitMs: z.number().optional(),
              next: z.string().optional().describe('The tier or the model that was asked next.'),
            }),
          )
          .nullable()
          .describe('What was waited for before it, and which models were asked before the one that answered; null: nothing.'),
        usage: usageSchema,
        costUsd: z.number().nullable(),
        startedAt: time,
        finishedAt: time,
      }),
    ),
    toolCalls: z.array(
      z.object({
        id: z.string(),
        attempt: z.int(),
        turn: z.int(),
        server: z.string(),
        tool: z.string(),
        arguments: anyJson,
        status: callStatus,
        result: z
          .object({
            text: z.string(),
            truncated: z.boolean().describe('The text is not all of the result.'),
            kept: keptSchema
              .extend({
                whole: z.boolean().describe('False: it was cut at limits.keptBytes.'),
                rest: z.object({ said: z.string() }).nullable().describe('How the server says that there is more.'),
              })
              .optional()
              .describe('What is kept of it: GET /v1/runs/{id}/results/{digest}.'),
            images: z.array(keptSchema.extend({ mediaType: z.string() })).optional(),
          })
          .nullable(),
        failure: failureSchema.nullable(),
        requestIdSent: z.string().nullable(),
        requestId: z.string().nullable(),
        durationMs: z.number().nullable(),
        repeatable: z.boolean(),
        decision: decisionSchema.nullable(),
        startedAt: time,
        finishedAt: timeOrNull,
      }),
    ),
    gatewayRequests: z.array(
      z.object({
        requestIdSent: z.string(),
        requestId: z.string().nullable(),
        attempt: z.int(),
        account: z.string(),
        accountId: z.string(),
        method: z.string(),
        host: z.string(),
        path: z.string(),
        rpcMethod: z.string().nullable(),
        decision: decisionSchema.nullable(),
        status: z.int().nullable(),
        error: z.string().nullable(),
        requestBytes: z.int(),
        responseBytes: z.number().nullable(),
        sentAt: time,
        durationMs: z.number().nullable(),
      }),
    ),
    unreported: z
      .array(
        z.object({
          requestId: z.string(),
          time,
          accountId: z.string().nullable(),
          host: z.string(),
          mcpMethod: z.string().nullable(),
          tool: z.string().nullable(),
          ip: z.string(),
          allowed: z.boolean(),
          matchedBy: z.enum(['lost-answer', 'unreported']),
        }),
      )
      .describe('Requests in Pomerium’s log that are the run’s own and that its provider did not report, the first hundred.'),
    acts: z
      .array(z.object({ ...actFields, conversation: z.int(), attempt: z.int() }))
      .describe('What people did to it, with the conversation and attempt that it had then.'),
    earlierEnds: z
      .array(
        z.object({
          conversation: z.int(),
          status: statusSchema,
          failure: failureSchema.nullable(),
          reasons: z.array(reasonSchema),
          finishedAt: time,
        }),
      )
      .describe('What it had come to before it was retried.'),
    createdAt: time,
    startedAt: timeOrNull,
    finishedAt: timeOrNull,
  })
  .openapi('Run')

/** The schema says the same as the type: a field that is added to one and missed in the other does not compile. */
type Described =
  RunView extends z.input<typeof runSchema> ? (keyof z.output<typeof runSchema> extends keyof RunView ? RunView : never) : never
export const describeRun = (run: RunView): Described => run

export const runLineSchema = z
  .object({
    id: z.string(),
    job: z.string(),
    status: statusSchema,
    trigger: triggerSchema,
    requestedBy: z.string().nullable(),
    tags: shownTags,
    reasons: z.array(reasonSchema),
    failure: failureSchema.nullable(),
    attempts: z.int(),
    costUsd: z.number().nullable().describe('What is known of it; null when nothing is.'),
    costAtLeast: z.boolean().describe('Some of what was used is not known: the run cost more than that.'),
    heldBy: z.string().nullable(),
    createdAt: time,
    startedAt: timeOrNull,
    finishedAt: timeOrNull,
    ending: z
      .object({ kind: z.enum(['incomplete', 'nothing-new']), because: z.string().optional() })
      .nullable()
      .describe('How the model ended it by a call instead of an answer.'),
  })
  .openapi('RunLine')
