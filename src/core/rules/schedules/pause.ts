// An operator's stop of one job, or of all: what it is, and how it is told in one line wherever somebody meets it.
import { showLine } from '../../../lib/text.ts'
import { showTime } from '../../../lib/show/time.ts'

/** Stands for all jobs. */
export const ALL_JOBS = '*'

export interface Pause {
  /** A job's name, or `*`. */
  job: string
  reason: string
  pausedBy: string
  pausedAt: string
}

/** How a pause is lifted. */
export const liftOf = ({ job }: Pick<Pause, 'job'>): string => `nightshift resume ${job === ALL_JOBS ? '--all' : showLine(job)}`

/** What a pause holds, who made it, when and why. */
export const aboutPause = ({ job, pausedBy, pausedAt, reason }: Pause): string =>
  `${job === ALL_JOBS ? 'everything' : showLine(job)} is paused by ${showLine(pausedBy)} since ${showTime(pausedAt)}: ${showLine(reason)}`

/** The same, and how it is lifted. */
export const describePause = (pause: Pause): string => `${aboutPause(pause)}. Lift it with: ${liftOf(pause)}`
