import { z } from '@hono/zod-openapi'
import { anyJson, text, time } from './common.ts'

export const pauseSchema = z.strictObject({ reason: text.min(1).max(500) }).openapi('Pause')

const pausedBy = z.object({ reason: z.string(), by: z.string(), at: time }).nullable()

export const pausedSchema = z
  .object({
    job: z.string(),
    paused: z.boolean().describe('Also by the pause of everything, which is lifted with nightshift resume --all.'),
    pause: pausedBy.describe('What holds the job: its own pause, or the one of everything.'),
  })
  .openapi('PauseState')

export const jobSchema = z
  .object({
    name: z.string(),
    version: z.string(),
    description: z.string().nullable(),
    schedule: z.object({ cron: z.string(), timezone: z.string() }).nullable(),
    account: z.string(),
    model: z.string(),
    input: anyJson.describe('JSON Schema of the input.'),
    paused: pausedBy,
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
    paused: pausedBy,
  })
  .openapi('Schedule')
