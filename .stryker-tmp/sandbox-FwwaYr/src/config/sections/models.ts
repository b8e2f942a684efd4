// @ts-nocheck
import { z } from 'zod'
import { duration } from '../../lib/duration.ts'
import { httpUrl } from '../../lib/url.ts'

const providerSchema = z
  .strictObject({
    api: z.enum(['responses', 'chat']).default('responses'),
    baseUrl: httpUrl.optional(),
    apiKey: z.string().optional(),
    apiKeyFile: z.string().optional(),
    stream: z.boolean().default(true),
    store: z.boolean().optional(),
    background: z.boolean().default(false),
    answerTimeout: duration.default(600_000),
  })
  .refine((provider) => provider.apiKey === undefined || provider.apiKeyFile === undefined, 'has both apiKey and apiKeyFile; keep one')

/** Model providers by the name that jobs use. */
export const providersSchema = z.record(z.string(), providerSchema)

/** USD for a million tokens, by model. */
export const pricesSchema = z
  .record(z.string(), z.strictObject({ input: z.number().min(0), cachedInput: z.number().min(0), output: z.number().min(0) }))
  .default({})

const ceiling = z
  .strictObject({ tokens: z.int().min(1).optional(), costUsd: z.number().positive().optional() })
  .refine(({ tokens, costUsd }) => tokens !== undefined || costUsd !== undefined, 'is empty; give tokens, costUsd or both')

/** The most that all runs of an account or of a job may spend in a day (UTC). */
export const budgetsSchema = z
  .strictObject({ accounts: z.record(z.string(), ceiling).default({}), jobs: z.record(z.string(), ceiling).default({}) })
  .prefault({})
