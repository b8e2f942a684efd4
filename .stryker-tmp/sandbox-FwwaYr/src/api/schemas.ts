// @ts-nocheck
import { z } from '@hono/zod-openapi'
import { FAILURES, type FailureCode } from '../core/failure.ts'
import { RUN_STATUSES } from '../core/run.ts'
import type { RunView } from '../core/view.ts'
import { RETRYABLE } from '../store/runs/retry.ts'
import { PROBLEM_TYPE, problemSchema } from '../http/problem.ts'

const codes = Object.keys(FAILURES).filter((code): code is FailureCode => code in FAILURES)
export const codeSchema = z.enum(codes)
const time = z.iso.datetime().describe('RFC 3339, in UTC.')
const timeOrNull = time.nullable()
/** Text as Postgres can hold it. */
export const text = z.string().regex(/^[^\u0000]*$/, 'may hold no NUL')
const anyJson = z.unknown().openapi({ description: 'Any JSON value.' })
export const statusSchema = z.enum(RUN_STATUSES).openapi('RunStatus')

const failureSchema = z
  .object({
    code: codeSchema,
    message: z.string(),
    retry: z.enum(['later', 'never', 'after-connection']),
    requestId: z.string().optional(),
    retryAfterMs: z.number().optional(),
    server: z.string().optional(),
  })
  .openapi('Failure')
const reasonSchema = z.object({ code: codeSchema, message: z.string() }).openapi('Reason')
const usageSchema = z
  .object({ inputTokens: z.number(), cachedTokens: z.number(), outputTokens: z.number(), reasoningTokens: z.number() })
  .openapi('Usage')
const triggerSchema = z
  .union([
    z.object({ kind: z.literal('schedule'), fireAt: z.string(), backfill: z.boolean().optional() }),
    z.object({ kind: z.literal('api') }),
    z.object({ kind: z.literal('cli') }),
  ])
  .openapi('Trigger')
const itemSchema = z.union([
  z.object({ type: z.literal('message'), text: z.string() }),
  z.object({ type: z.literal('refusal'), text: z.string() }),
  z.object({ type: z.literal('tool_call'), callId: z.string(), name: z.string(), arguments: z.string() }),
  z.object({ type: z.literal('reasoning'), raw: anyJson }),
])
const decisionSchema = z
  .object({ allowed: z.boolean(), reasons: z.array(z.string()), requestId: z.string(), matchedBy: z.string(), time })
  .describe('What Pomerium’s log says about it, once it was joined.')
  .openapi('Decision')
const callStatus = z.enum(['sent', 'ok', 'error', 'denied', 'refused', 'not_run', 'unknown'])

/** A run, whole: the same as `show --json`. */
export const runSchema = z
  .object({
    id: z.string(),
    job: z.string(),
    jobVersion: z.string(),
    status: statusSchema,
    reasons: z.array(reasonSchema),
    failure: failureSchema.nullable(),
    trigger: triggerSchema,
    requestedBy: z.string().nullable(),
    account: z.string(),
    retryOf: z.string().nullable(),
    heldBy: z.string().nullable(),
    input: anyJson,
    output: anyJson,
    outputText: z.string().nullable(),
    usage: usageSchema,
    cost: z.object({ usd: z.number().nullable() }),
    attempts: z.array(
      z.object({
        number: z.int(),
        status: z.string(),
        worker: z.string(),
        conversation: z.int(),
        jobVersion: z.string(),
        prompt: z.string().nullable(),
        instructions: z.string().nullable(),
        failure: failureSchema.nullable(),
        output: anyJson,
        outputText: z.string().nullable(),
        reasons: z.array(reasonSchema).nullable(),
        startedAt: time,
        finishedAt: timeOrNull,
      }),
    ),
    turns: z.array(
      z.object({
        number: z.int(),
        attempt: z.int(),
        items: z.array(itemSchema),
        stopReason: z.string(),
        responseId: z.string().nullable(),
        providerRequestId: z.string().nullable(),
        model: z.string(),
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
        result: z.object({ text: z.string(), truncated: z.boolean() }).nullable(),
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
    reasons: z.array(reasonSchema),
    failure: failureSchema.nullable(),
    attempts: z.int(),
    costUsd: z.number().nullable(),
    heldBy: z.string().nullable(),
    createdAt: time,
    startedAt: timeOrNull,
    finishedAt: timeOrNull,
  })
  .openapi('RunLine')

/** What is known of a run that was just asked for. */
export const ticketSchema = z.object({ id: z.string(), job: z.string(), status: statusSchema }).openapi('RunTicket')

export const newRunSchema = z
  .strictObject({
    input: anyJson.optional(),
    priority: z.enum(['high', 'normal', 'low']).optional().describe('Order among queued runs.'),
    startAt: z.iso.datetime({ offset: true }).optional().describe('Not before.'),
    expireAt: z.iso.datetime({ offset: true }).optional().describe('A run that no worker took by then fails with EXPIRED.'),
  })
  .openapi('NewRun')

export const definitionChoice = z
  .enum(['latest', 'pinned'])
  .default('latest')
  .describe('Go on with the job as it is now, or as it was for this run.')

export const retrySchema = z
  .strictObject({
    definition: definitionChoice,
    input: anyJson.optional().describe('Other input makes a new run, with retryOf.'),
  })
  .openapi('Retry')

export const filterSchema = z
  .strictObject({
    job: text.optional(),
    status: z.array(z.enum(RETRYABLE)).min(1).optional(),
    code: codeSchema.optional(),
    requestedBy: text.optional(),
    since: z.iso.datetime({ offset: true }).optional(),
    until: z.iso.datetime({ offset: true }).optional(),
    tool: text.optional().describe('server.tool'),
    text: z.string().max(500).optional(),
  })
  .openapi('RunFilter')

export const bulkRetrySchema = z
  .strictObject({ filter: filterSchema, definition: definitionChoice, dryRun: z.boolean().default(false) })
  .openapi('BulkRetry')

export const jobSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    description: z.string().nullable(),
    schedule: z.object({ cron: z.string(), timezone: z.string() }).nullable(),
    account: z.string(),
    model: z.string(),
    input: anyJson.describe('JSON Schema of the input.'),
    paused: z.object({ reason: z.string(), by: z.string(), at: time }).nullable(),
  })
  .openapi('Job')

export const scheduleSchema = z
  .object({
    job: z.string(),
    cron: z.string(),
    words: z.string().describe('The cron expression in words.'),
    timezone: z.string(),
    lastFire: z
      .object({ at: time, status: z.enum(['run', 'skipped']), runId: z.string().nullable(), reason: z.string().nullable() })
      .nullable(),
    next: z.array(time),
    paused: z.object({ reason: z.string(), by: z.string(), at: time }).nullable(),
  })
  .openapi('Schedule')

export const idParam = z.object({
  id: text.max(100).openapi({ param: { name: 'id', in: 'path' } }),
})
export const jobParam = z.object({
  job: text.max(100).openapi({ param: { name: 'job', in: 'path' } }),
})

export const json = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  description,
  content: { 'application/json': { schema } },
})

/** What every route may answer beside its own. */
export const problems = Object.fromEntries(
  [400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503].map((status) => [
    status,
    { description: 'A problem; its code says which.', content: { [PROBLEM_TYPE]: { schema: problemSchema } } },
  ]),
)
