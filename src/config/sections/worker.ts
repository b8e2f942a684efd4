import { z } from 'zod'
import { duration } from '../../lib/duration.ts'
import { concurrency } from './values.ts'

/** What a worker does at a time. `lockTimeout` is the lease of a run: a worker that is silent for longer loses it. */
export const workerSchema = z
  .strictObject({
    concurrency: concurrency.default(10).describe('Runs at a time in this process.'),
    toolConcurrency: z.int().min(1).max(100).default(4).describe('Tool calls at a time in a run.'),
    drainTimeout: duration('0s')
      .prefault('30s')
      .describe('How long runs may go on after SIGTERM before they are handed to another worker.'),
    lockTimeout: duration('2s').prefault('60s').describe('How long a worker may be silent before its runs go to another one.'),
  })
  .prefault({})
  .describe('This process as a worker.')

export const logSchema = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
      .default('info')
      .describe('The least level that is written. Prompts, arguments, results and tokens are in none.'),
  })
  .prefault({})
  .describe('The log of this process on standard output: JSON lines, and lines for people on a terminal.')
