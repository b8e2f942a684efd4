import { aboutSilent, dutyFault, UNDONE } from '../core/duties.ts'
import { clockFault } from '../core/rules/schedules/skew.ts'
import { showTime } from '../lib/show/time.ts'
import type { KnownDuty, KnownProcess } from '../store/processes.ts'
import { aboutClock, failed, warning, type Finding } from './check.ts'

/** What is wrong with the processes that are at work: a clock, a part that none of them does, a duty that is not done. */
export const faultsOfProcesses = (processes: readonly KnownProcess[], duties: readonly KnownDuty[]): Finding[] => [
  ...clocks(processes.filter(({ alive }) => alive)),
  ...missing(processes, duties),
  ...faults(duties),
]

/** Processes whose clock is not that of the store; the one furthest off stands for all that are. */
function clocks(alive: readonly KnownProcess[]): Finding[] {
  const off = alive
    .flatMap(({ name, skewMs }) => (skewMs !== null && clockFault(skewMs) ? [{ name, skewMs }] : []))
    .toSorted((one, other) => Math.abs(other.skewMs) - Math.abs(one.skewMs))
  const [first, ...others] = off
  if (!first) return []
  const whose = `The clock of ${first.name}${others.length === 0 ? '' : ` (and of ${others.length} more)`}`
  return [aboutClock(whose, 'the store’s', first.skewMs)].filter((finding) => finding !== undefined)
}

/** Duties without which nothing moves: one process that does each must be there. */
const NEEDED = [
  { duty: 'heartbeat', who: 'worker' },
  { duty: 'schedules', who: 'scheduler' },
] as const

function missing(processes: readonly KnownProcess[], duties: readonly KnownDuty[]): Finding[] {
  return NEEDED.filter(({ duty }) => !duties.some((one) => one.duty === duty)).map(({ who }) => {
    const silent = processes.filter(({ role, alive }) => !alive && (role === 'all' || role === who))
    return warning('processes', `No ${who} is at work${aboutSilent(silent)}.`, `nightshift start --only ${who}`)
  })
}

function faults(duties: readonly KnownDuty[]): Finding[] {
  const found = duties.flatMap((duty) => {
    const fault = dutyFault(duty)
    return fault ? [{ ...duty, fault }] : []
  })
  // The same of many replicas is one finding.
  const kinds = [...Map.groupBy(found, ({ duty, fault, reason }) => JSON.stringify([duty, fault, reason])).values()]
  return kinds.flatMap(([first, ...others]) => (first ? [aboutDuty(first, others.length)] : []))
}

function aboutDuty({ duty, process, fault, reason, succeededAt }: KnownDuty & { fault: 'failing' | 'late' }, others: number): Finding {
  const where = others === 0 ? process : `${process} and ${others} more`
  const since = succeededAt ? `since ${showTime(succeededAt)}` : 'since its start'
  const undone = (when: string) => (UNDONE[duty] === undefined ? '' : ` ${when} ${UNDONE[duty]}.`)
  return fault === 'failing'
    ? failed(
        'duties',
        `${duty} fails in ${where} ${since}: ${reason ?? 'its log says why'}.${undone('Until it is mended:')}`,
        'It is tried again by itself once what it met is mended.',
      )
    : failed(
        'duties',
        `${duty} has not ended a round in ${where} ${since}.${undone('Meanwhile')}`,
        'See what its log says last, and start that process again.',
      )
}
