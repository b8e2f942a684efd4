import { dutyFault, UNDONE } from '../core/duties.ts'
import { clockFault } from '../core/rules/schedules/clock.ts'
import type { Db } from '../store/postgres/db.ts'
import { listDuties, listProcesses, type KnownDuty, type KnownProcess } from '../store/processes.ts'
import { aboutClock, failed, ok, skipped, warning, type Finding } from './check.ts'

/** The processes that are at work, and whether each of their duties is done. */
export async function checkProcesses(db: Db): Promise<Finding[]> {
  const alive = (await listProcesses(db)).filter((one) => one.alive)
  if (alive.length === 0) return [skipped('processes', 'none is at work; nightshift start begins one')]
  const duties = await listDuties(db)
  return [ok('processes', describeProcesses(alive)), ...clocks(alive), ...missing(duties), ...faults(duties)]
}

function describeProcesses(alive: readonly KnownProcess[]): string {
  const kinds = Map.groupBy(alive, ({ role, version }) => `${role} ${version}`)
  return `at work: ${[...kinds].map(([kind, those]) => (those.length === 1 ? kind : `${those.length} × ${kind}`)).join(', ')}`
}

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

function missing(duties: readonly KnownDuty[]): Finding[] {
  return NEEDED.filter(({ duty }) => !duties.some((one) => one.duty === duty)).map(({ who }) =>
    warning('processes', `No ${who} is at work.`, `nightshift start --only ${who}`),
  )
}

function faults(duties: readonly KnownDuty[]): Finding[] {
  const found = duties.flatMap((duty) => {
    const fault = dutyFault(duty)
    return fault ? [{ ...duty, fault }] : []
  })
  // The same of many replicas is one finding.
  const kinds = [...Map.groupBy(found, ({ duty, fault, reason }) => JSON.stringify([duty, fault, reason])).values()]
  const findings = kinds.flatMap(([first, ...others]) => (first ? [aboutDuty(first, others.length)] : []))
  return findings.length > 0 ? findings : [ok('duties', `all ${new Set(duties.map(({ duty }) => duty)).size} are done`)]
}

function aboutDuty({ duty, process, fault, reason, succeededAt }: KnownDuty & { fault: 'failing' | 'late' }, others: number): Finding {
  const where = others === 0 ? process : `${process} and ${others} more`
  const since = succeededAt ? `since ${succeededAt.toISOString()}` : 'since its start'
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
