import { z } from 'zod'
import { age } from '../../lib/duration.ts'

/** By the status that runs ended with; a status that is left out is kept for ever. */
const agesSchema = z
  .strictObject({
    succeeded: age.optional().describe('Age after which runs that succeeded go. Without it, they are kept for ever.'),
    incomplete: age.optional().describe('The same for runs that are incomplete.'),
    failed: age.optional().describe('The same for runs that failed.'),
    cancelled: age.optional().describe('The same for runs that were cancelled.'),
  })
  .default({})

/** How long runs and log lines are kept. */
export const retentionSchema = z
  .strictObject({
    content: agesSchema.describe('Turns, arguments, results and outputs.'),
    metadata: agesSchema.describe('Everything else of a run.'),
    log: age
      .optional()
      .describe(
        'Lines of Pomerium’s log, also those that evidence of a run would show, and alarms that were sent, suspects that were acknowledged, accounts of single runs. Without it, kept for ever.',
      ),
    fires: age
      .optional()
      .describe(
        'Fires of schedules that made no run, or whose run is gone. A backfill may make runs of them again. Without it, kept for ever.',
      ),
  })
  .prefault({})
  .describe('How long runs are kept after they ended. The scheduler prunes once an hour.')
