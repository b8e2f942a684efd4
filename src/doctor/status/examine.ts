import { ok, type Finding } from '../check.ts'
import { linesOf } from './lines.ts'
import { NOTHING_AT_WORK, takeStatus, type Status, type StatusOptions } from './status.ts'

/** How things stand, as findings of `doctor`. */
export const examineStatus = async (options: Omit<StatusOptions, 'seen'>): Promise<Finding[]> => findingsOf(await takeStatus(options))

/**
 * The lines of `status`, and what somebody must look at. Of a subject with which something is wrong that is told alone: a line that only counts would stand beside it as good.
 * That nothing is at work is no fault here, unless something fell silent lately: it is asked before the first start, too.
 */
export function findingsOf(status: Status): Finding[] {
  const stands = status.whole?.stands.filter((finding) => finding !== NOTHING_AT_WORK) ?? []
  const wrong = new Set(stands.map(({ check }) => check))
  return [
    ...linesOf(status).filter(({ check }) => !wrong.has(check)),
    ...(stands.length > 0 ? stands : [ok('standing', 'no run, fire, report or alarm stands for longer than it should')]),
  ]
}
