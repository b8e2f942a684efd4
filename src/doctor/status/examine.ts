import { ok, type Finding } from '../check.ts'
import { linesOf } from './lines.ts'
import { NOTHING_AT_WORK, takeStatus, type StatusOptions } from './status.ts'

/** How things stand, as findings of `doctor`. That nothing is at work is no fault there, unless something fell silent lately: it is asked before the first start, too. */
export async function examineStatus(options: Omit<StatusOptions, 'seen'>): Promise<Finding[]> {
  const status = await takeStatus(options)
  const stands = status.whole?.stands.filter((finding) => finding !== NOTHING_AT_WORK) ?? []
  return [
    ...linesOf(status),
    ...(stands.length > 0 ? stands : [ok('standing', 'no run, fire, report or alarm stands for longer than it should')]),
  ]
}
