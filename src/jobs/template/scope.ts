import type { Occasion } from '../../core/rules/schedules/missed.ts'
import type { Period } from '../../core/rules/schedules/period.ts'

/** What a run knows of itself when its texts are written. All of it is handed in, so that the same run writes the same texts again. */
export interface TemplateScope {
  input: unknown
  job: string
  runId: string
  /** When it was due; for a run that was asked for, when that was. */
  fireTime: Date
  /** When its work began. */
  now: Date
  /** The fire before, by the job's schedule. */
  previousFire: Date | undefined
  period: Period | undefined
  trigger: Occasion
  /** IANA zone in which dates are read and written. */
  timezone: string
}

/** Names that a template may use at its top level. */
export const VARIABLES = ['input', 'fire_time', 'now', 'previous_fire', 'period', 'trigger', 'timezone', 'run_id', 'job'] as const
