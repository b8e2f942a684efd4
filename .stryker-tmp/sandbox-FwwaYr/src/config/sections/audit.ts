// @ts-nocheck
import { z } from 'zod'
import { age, duration } from '../../lib/duration.ts'

/** A request of another program that shares an account. */
const expectedSchema = z
  .strictObject({
    account: z.string(),
    host: z.string().optional(),
    path: z.string().optional(),
    ip: z.string().optional(),
    tool: z.string().optional(),
  })
  .refine(
    ({ account: _account, ...about }) => Object.values(about).some((value) => value !== undefined),
    'would hide every line of the account; name a host, path, ip or tool',
  )

/** How lines of Pomerium's log are read and joined. */
export const auditSchema = z
  .strictObject({
    gracePeriod: duration.default(30_000),
    paramsMaxBytes: z.int().min(0).max(1_048_576).default(2048),
    expected: z.array(expectedSchema).default([]),
  })
  .prefault({})

/** Where alarms go: a name under `webhooks`. */
export const alertsSchema = z.strictObject({ webhook: z.string() }).optional()

/** The key that signs exported evidence. */
export const evidenceSchema = z.strictObject({ keyFile: z.string().default('') }).prefault({})

/** By the status that runs ended with; a status that is left out is kept for ever. */
const agesSchema = z
  .strictObject({
    succeeded: age.optional(),
    incomplete: age.optional(),
    failed: age.optional(),
    cancelled: age.optional(),
  })
  .default({})

/** How long runs and log lines are kept. */
export const retentionSchema = z.strictObject({ content: agesSchema, metadata: agesSchema, log: age.optional() }).prefault({})
