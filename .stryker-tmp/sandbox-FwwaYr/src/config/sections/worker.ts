// @ts-nocheck
import { z } from 'zod'
import { duration } from '../../lib/duration.ts'
import { concurrency } from './values.ts'

/** What a worker does at a time. `lockTimeout` is the lease of a run: a worker that is silent for longer loses it. */
export const workerSchema = z
  .strictObject({
    concurrency: concurrency.default(10),
    toolConcurrency: z.int().min(1).max(100).default(4),
    drainTimeout: duration.default(30_000),
    lockTimeout: duration.default(60_000),
  })
  .prefault({})

export const logSchema = z
  .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info') })
  .prefault({})
