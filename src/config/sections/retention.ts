import { z } from 'zod'
import { age } from '../../lib/duration.ts'

/** By the status that runs ended with. */
const agesSchema = (least: string, byDefault: string) =>
  z
    .strictObject({
      succeeded: age(least).prefault(byDefault).describe('Age after which runs that succeeded go, or `forever`.'),
      incomplete: age(least).prefault(byDefault).describe('The same for runs that are incomplete.'),
      failed: age(least).prefault(byDefault).describe('The same for runs that failed.'),
      cancelled: age(least).prefault(byDefault).describe('The same for runs that were cancelled.'),
    })
    .prefault({})

const CONTENT = '90d'
const METADATA = '400d'
/** What is gone sooner is gone before anybody fetched the answer. */
const LEAST_CONTENT = '1h'
/** What is gone sooner is gone before it is joined with the rest: its idempotency key, and the requests that a line of the log is explained by. */
const LEAST = '1d'

/** How long runs and log lines are kept. */
export const retentionSchema = z
  .strictObject({
    content: agesSchema(LEAST_CONTENT, CONTENT).describe('Turns, arguments, results and outputs.'),
    metadata: agesSchema(LEAST, METADATA).describe('Everything else of a run.'),
    log: age(LEAST)
      .prefault(METADATA)
      .describe(
        'Lines of Pomerium’s log, also those that evidence of a run would show, and alarms that were sent, suspects that were acknowledged, accounts of single runs. `forever` keeps them.',
      ),
    fires: age(LEAST)
      .prefault(METADATA)
      .describe('Fires of schedules that made no run, or whose run is gone. A backfill may make runs of them again. `forever` keeps them.'),
  })
  .prefault({})
  .describe('How long runs are kept after they ended. The scheduler prunes once an hour.')
