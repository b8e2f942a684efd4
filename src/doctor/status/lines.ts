// How things stand, in a line for each thing: the one source of `nightshift status` and of what `doctor` says of a Nightshift that is at work.
import { aboutPause, liftOf } from '../../core/rules/schedules/pause.ts'
import { showLine } from '../../lib/text.ts'
import { showAge, showTime, showTimeIn } from '../../lib/show/time.ts'
import type { EndedRuns, OpenRuns } from '../../store/status.ts'
import { ok, skipped, warning, type Finding } from '../check.ts'
import type { NextFire } from './fires.ts'
import type { Status, WholeStatus } from './status.ts'

/** So many of each are named; how many more there are is said. */
const MOST_NAMED = 3
const MOST_PAUSES = 10

/** The lines, in the order in which they are read. What somebody must do stands in `stands` and not here, but for pauses, which somebody meant. */
export function linesOf(status: Status): Finding[] {
  const { drained, pauses, workers, scheduler, runs, ended, next, whole, now } = status
  return [
    drained ? warning('state', `drained: ${aboutPause(drained)}`, liftOf(drained)) : aboutWork(status),
    ok('workers', aboutWorkers(workers)),
    ok('scheduler', scheduler.atWork === 0 ? 'none' : aboutScheduler(scheduler, now)),
    ok('runs', named(runs.map(aboutOpen), runs.length)),
    ok('last hour', aboutEnded(ended)),
    ok('next fires', named(next.map((fire) => aboutNext(fire, now)))),
    ...(whole ? linesOfWhole(whole) : []),
    ...pauses.slice(0, MOST_PAUSES).map((pause) => warning('paused', aboutPause(pause), liftOf(pause))),
    ...(pauses.length > MOST_PAUSES ? [ok('paused', `and ${pauses.length - MOST_PAUSES} more`)] : []),
  ]
}

const linesOfWhole = ({ processes, configDigest, duties, reports, suspects }: WholeStatus): Finding[] => [
  ok('config', aboutConfig(processes, configDigest)),
  ok('duties', aboutDuties(duties)),
  ok('reports', aboutReports(reports)),
  ok(
    'suspects',
    named(
      suspects.map(({ account, accountId, events }) => `${showLine(account ?? accountId)} (${counted(events, 'line')} of Pomerium’s log)`),
    ),
  ),
]

const counted = (n: number, what: string, several = `${what}s`) => `${n} ${n === 1 ? what : several}`

/** The first of them, and how many more there are. */
const named = (parts: readonly string[], most = MOST_NAMED) =>
  parts.length === 0 ? 'none' : [...parts.slice(0, most), ...(parts.length > most ? [`and ${parts.length - most} more`] : [])].join('; ')

const aboutWork = ({ workers, scheduler }: Status): Finding =>
  workers.atWork + scheduler.atWork === 0 ? skipped('state', 'nothing is at work; nightshift start begins it') : ok('state', 'at work')

function aboutWorkers({ atWork, runs, slots, versions, heardAgoMs, silent, silentAgoMs }: Status['workers']): string {
  const missed = silent === 0 ? '' : `${silent} silent, last heard of ${showAge(silentAgoMs ?? 0)} ago`
  if (atWork === 0) return missed === '' ? 'none' : `none at work; ${missed}`
  const busy = slots === null ? `${counted(runs, 'run')} under way` : `${runs} of ${counted(slots, 'slot')} taken`
  const heard = `heard of ${atWork === 1 ? '' : 'within '}${showAge(heardAgoMs ?? 0)}${atWork === 1 ? ' ago' : ''}`
  const which = `${versions.length === 1 ? 'version' : 'versions'} ${versions.map(showLine).join(' and ')}`
  return [`${atWork} at work, ${heard}, ${busy}, ${which}`, ...(missed === '' ? [] : [missed])].join('; ')
}

const aboutScheduler = ({ atWork, lookedAt }: Status['scheduler'], now: string) =>
  `${atWork} at work, looked ${lookedAt ? `${showAge(Date.parse(now) - Date.parse(lookedAt))} ago` : 'never'}`

function aboutOpen({ state, heldBy, runs, oldestS, nextAt }: OpenRuns): string {
  const oldest = showAge(oldestS * 1000)
  switch (state) {
    case 'due':
      return `${runs} due, the oldest for ${oldest}`
    case 'running':
      return `${runs} running, the oldest for ${oldest}`
    case 'waiting':
      return `${runs} waiting for a person, the oldest for ${oldest}`
    case 'held':
      return `${runs} held by the limit of ${showLine(heldBy ?? '')}, the oldest for ${oldest}`
    case 'paused':
      return `${runs} paused, the oldest for ${oldest}`
    case 'behind':
      return `${runs} behind an earlier run, the oldest for ${oldest}`
    case 'later':
      return `${runs} later${nextAt ? `, the first at ${showTime(nextAt)}` : ''}`
  }
}

/** Such as `40 succeeded; 3 failed (2 MODEL_AUTH, 1 DEADLINE)`. */
function aboutEnded({ runs, isCut }: Status['ended']): string {
  const byStatus = [...Map.groupBy(runs, ({ status }) => status)].map(([status, those]) => aboutStatus(status, those))
  const text = byStatus.length === 0 ? 'no run ended' : byStatus.join('; ')
  return isCut ? `${text}; of the last ${runs.reduce((sum, one) => sum + one.runs, 0)} alone` : text
}

function aboutStatus(status: string, those: readonly EndedRuns[]): string {
  const all = those.reduce((sum, { runs }) => sum + runs, 0)
  const codes = those.flatMap(({ code, runs }) => (code === null || status === 'succeeded' ? [] : [`${runs} ${code}`]))
  const shown = codes.slice(0, MOST_NAMED)
  const more = codes.length > MOST_NAMED ? [`${codes.length - MOST_NAMED} codes more`] : []
  return `${all} ${status}${codes.length === 0 ? '' : ` (${[...shown, ...more].join(', ')})`}`
}

const aboutNext = ({ job, at, timezone, paused }: NextFire, now: string) =>
  `${showLine(job)} in ${showAge(Date.parse(at) - Date.parse(now))} (${showTimeIn(at, timezone)})${paused ? ', paused' : ''}`

/** Which texts of the configuration file are in force, and whether the one here is. */
function aboutConfig(processes: WholeStatus['processes'], here: string): string {
  const known = processes.flatMap(({ alive, config }) => (alive && config ? [config.digest] : []))
  const digests = [...Map.groupBy(known, (digest) => digest)]
  if (digests.length === 0) return 'none is in force'
  if (digests.length === 1 && known[0] === here) return `${describeDigest(here)} is in force, as the file here`
  const each = digests.map(([digest, those]) => `${describeDigest(digest)} is in force in ${counted(those.length, 'process', 'processes')}`)
  return `${named(each)}; the file here ${here === '' ? 'was not read' : `is ${describeDigest(here)}`}`
}

const describeDigest = (digest: string) => (digest === '' ? 'no file' : showLine(digest))

function aboutDuties(duties: WholeStatus['duties']): string {
  const faulty = duties.flatMap(({ duty, fault }) => (fault ? [`${duty} is ${fault}`] : []))
  if (duties.length === 0) return 'none'
  return faulty.length === 0 ? `all ${duties.length} are done` : `${faulty.length} of ${duties.length} are not done: ${faulty.join(', ')}`
}

function aboutReports({ pending, due, oldestS, failing }: WholeStatus['reports']): string {
  if (pending === 0) return 'none to send'
  const failed = failing.map(({ place, reports, error }) => `${reports} for ${showLine(place)} (${showLine(error)})`)
  const text = `${pending} to send, ${due} due, the oldest for ${showAge(oldestS * 1000)}`
  return failed.length === 0 ? text : `${text}; could not be delivered yet: ${named(failed)}`
}
