import { CronExpressionParser } from 'cron-parser'
import { z } from 'zod'
import { MISSED_POLICIES, OVERLAP_POLICIES } from '../../core/rules/schedules/fires.ts'
import { PERIODS } from '../../core/rules/schedules/period.ts'

function isZone(timezone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: timezone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** An IANA time zone. */
export const zone = z.string().refine(isZone, 'is not a time zone; use a name such as Europe/Zurich or UTC')

function isCron(cron: string): string | undefined {
  const fields = cron.trim().split(/\s+/).length
  if (fields !== 5 && fields !== 6) return `it has ${fields} fields`
  try {
    CronExpressionParser.parse(cron)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export const scheduleSchema = z.strictObject({
  cron: z
    .string()
    .superRefine((cron, context) => {
      const fault = isCron(cron)
      if (fault !== undefined)
        context.addIssue({
          code: 'custom',
          message: `is not a cron expression (${fault}); write for example "0 7 * * 1" for Mondays at 07:00`,
        })
    })
    .describe('Five fields (minute hour day month weekday) or six with seconds first.'),
  timezone: zone.optional().describe('IANA time zone of the cron fields. Without it, timezone: of the job.'),
  missed: z
    .enum(MISSED_POLICIES)
    .default('last')
    .describe('Fires that passed while no scheduler was running: none, the last one, or all (at most 100).'),
  overlap: z.enum(OVERLAP_POLICIES).default('skip').describe('When an earlier run of the job is not over: skip the fire, or let it wait.'),
  period: z
    .enum(PERIODS)
    .optional()
    .describe(
      'What a run reports on, as period.from and period.to in its texts: the day, week or month before, or since the latest green run.',
    ),
})
