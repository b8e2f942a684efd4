import { z } from '@hono/zod-openapi'
import type { Status } from '../../doctor/status/status.ts'
import { codeSchema, time, timeOrNull } from './common.ts'

const count = z.int()
const seconds = z.number().describe('In seconds.')

const pause = z.object({ job: z.string().describe('*: everything.'), reason: z.string(), pausedBy: z.string(), pausedAt: time })

const finding = z.object({
  check: z.string(),
  status: z.enum(['ok', 'warning', 'failed', 'skipped']),
  message: z.string(),
  cure: z.string().optional(),
  code: codeSchema.optional(),
})

const process = z.object({
  name: z.string(),
  role: z.string(),
  version: z.string(),
  slots: count.nullable().describe('Most runs that it does at a time; null: it does none, or does not say it.'),
  startedAt: time,
  seenAt: time,
  heardAgoMs: z.number().describe('How long ago it was heard of, in ms; it writes every ten seconds.'),
  alive: z.boolean().describe('It was heard of within the last 25 seconds. One that was not is gone, or hangs.'),
  skewMs: z.number().nullable().describe('How far its clock is ahead of the store’s, in ms.'),
  runs: count.describe('Runs that it has under way.'),
  config: z
    .object({
      digest: z.string().describe('Of the text of its file that it read last without a fault.'),
      waiting: z.array(z.string()).readonly().describe('Keys whose values in the file are in force after a restart alone.'),
      fault: z.string().optional().describe('What is wrong with the file now; what was in force before stays.'),
    })
    .nullable(),
})

const whole = z
  .object({
    processes: z.array(process),
    configDigest: z.string().describe('Of the configuration file here; empty without one.'),
    duties: z.array(
      z.object({ duty: z.string(), processes: count, succeededAt: timeOrNull, fault: z.enum(['failing', 'late']).nullable() }),
    ),
    reports: z.object({
      pending: count.describe('Not delivered yet; 10,000 are counted at most.'),
      due: count,
      oldestS: seconds,
      failing: z.array(z.object({ place: z.string(), reports: count, error: z.string().describe('What the last try met.') })),
    }),
    suspects: z.array(
      z.object({
        accountId: z.string(),
        account: z.string().nullable(),
        since: time,
        events: count.describe('Lines of Pomerium’s log that nothing of ours explains.'),
        acknowledgedAt: timeOrNull,
        acknowledgedBy: z.string().nullable(),
        reason: z.string().nullable(),
      }),
    ),
    stands: z.array(finding).describe('What somebody must look at, with its cure.'),
  })
  .nullable()
  .describe('What belongs to no job; null for whoever sees some jobs alone.')

export const statusSchema = z
  .object({
    now: time.describe('By the clock of the store, as all times here.'),
    well: z.boolean().describe('Nothing stands that should not, in all of it.'),
    drained: pause.nullable().describe('The pause of everything.'),
    pauses: z.array(pause).describe('Of single jobs.'),
    workers: z.object({
      atWork: count,
      runs: count.describe('Under way.'),
      slots: count.nullable().describe('Most runs at a time; null: one of them does not say it.'),
      versions: z.array(z.string()),
      heardAgoMs: z.number().nullable().describe('How long ago each of them was heard of at most, in ms; null: none is at work.'),
      silent: count.describe('Workers that were heard of in the last ten minutes, and not in the last 25 seconds.'),
      silentAgoMs: z.number().nullable().describe('How long ago one of those was heard of, in ms.'),
    }),
    scheduler: z.object({ atWork: count, lookedAt: timeOrNull.describe('When one looked last for what is due.') }),
    runs: z
      .array(
        z.object({
          state: z
            .enum(['running', 'waiting', 'due', 'held', 'paused', 'behind', 'later'])
            .describe('due: a worker could start it now; behind: an earlier run must be over first; later: its time is still to come.'),
          heldBy: z.string().nullable().describe('The limit.'),
          runs: count,
          oldestS: seconds,
          nextAt: timeOrNull,
        }),
      )
      .describe('Runs that are not over.'),
    underWay: z
      .array(z.object({ id: z.string(), job: z.string(), worker: z.string(), startedAt: time, attempt: count }))
      .describe('Of those that workers have, the twenty that take longest.'),
    ended: z.object({
      runs: z.array(z.object({ status: z.string(), code: z.string().nullable(), runs: count })),
      isCut: z.boolean().describe('There were more than were counted.'),
    }),
    fires: z.array(
      z.object({
        job: z.string(),
        at: time,
        status: z.enum(['run', 'skipped']),
        runId: z.string().nullable(),
        reason: z.string().nullable(),
      }),
    ),
    next: z.array(z.object({ job: z.string(), at: time, timezone: z.string(), paused: z.boolean() })),
    whole,
  })
  .openapi('Status')

/** The schema says the same as the type. */
export const describeStatus = (status: Status): Status extends z.input<typeof statusSchema> ? Status : never => status
