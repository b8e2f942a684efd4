import { z } from 'zod'
import { MISSED_POLICIES } from '../../core/rules/schedules/missed.ts'
import { OVERLAP_POLICIES } from '../../core/rules/schedules/overlap.ts'
import { PERIODS } from '../../core/rules/schedules/period.ts'
import { nearest } from '../../lib/near.ts'
import { cronFault } from '../../lib/time/cron-fault.ts'

/** Zones that there are, as files write them: to ask for one takes as long as to read a small file. */
const known = new Set<string>()
const MAX_KNOWN = 1000

function isZone(timezone: string): boolean {
  if (known.has(timezone)) return true
  try {
    const isThere = new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone !== ''
    if (isThere && known.size < MAX_KNOWN) known.add(timezone)
    return isThere
  } catch {
    return false
  }
}

const NO_ZONE = 'is not a time zone; use a name such as Europe/Zurich or UTC'

/** An IANA time zone. */
export const zone = z
  .string({ error: ({ input }) => (typeof input === 'number' ? NO_ZONE : undefined) })
  .superRefine((timezone, context) => {
    if (isZone(timezone)) return
    const meant = meantZone(timezone)
    context.addIssue({ code: 'custom', message: meant === undefined ? NO_ZONE : `is not a time zone; ${meant}` })
  })

/** The zone of a city that stands without its continent, or of a slip of the pen. */
function meantZone(timezone: string): string | undefined {
  const zones = Intl.supportedValuesOf('timeZone')
  const wanted = timezone.trim().toLowerCase().replaceAll(' ', '_')
  const meant = zones.find((one) => one.toLowerCase().endsWith(`/${wanted}`)) ?? nearest(timezone, zones)
  return meant && `did you mean ${meant}?`
}

const FORM = 'must be a mapping, such as { cron: "0 7 * * 1", timezone: Europe/Zurich }'

export const scheduleSchema = z.strictObject(
  {
    cron: z
      .string()
      .superRefine((cron, context) => {
        const fault = cronFault(cron)
        if (fault !== undefined)
          context.addIssue({
            code: 'custom',
            message: `is not a cron expression (${fault}); write for example "0 7 * * 1" for Mondays at 07:00`,
          })
      })
      .describe('Five fields: minute hour day month weekday. L is the last day of the month, 5L its last Friday, 1#2 its second Monday.'),
    timezone: zone.optional().describe('IANA time zone of the cron fields. Without it, timezone: of the job.'),
    input: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('Input of the runs that the schedule makes, which input: of the job has to allow. Without it, an empty one.'),
    missed: z
      .enum(MISSED_POLICIES)
      .default('last')
      .describe('Fires that passed while no scheduler was running: none, the last one, or all (at most 100).'),
    overlap: z
      .enum(OVERLAP_POLICIES)
      .default('skip')
      .describe('When an earlier run of the job is not over: skip the fire, or let it wait.'),
    period: z
      .enum(PERIODS)
      .optional()
      .describe(
        'What a run reports on, as period.from and period.to in its texts: the day, week or month before, or since the latest green run.',
      ),
  },
  { error: ({ code }) => (code === 'invalid_type' ? FORM : undefined) },
)
