import { aboutSilent, LATELY_MS } from '../../core/duties.ts'
import { ALL_JOBS, type Pause } from '../../core/rules/schedules/pause.ts'
import type { Job } from '../../jobs/job.ts'
import { listSuspects, type Suspect } from '../../store/audit/suspects.ts'
import type { Db } from '../../store/postgres/db.ts'
import { loadServerFacts } from '../../store/postgres/facts.ts'
import { listDuties, listProcesses, silentAmong, workersAmong, type KnownProcess } from '../../store/processes.ts'
import { lastFires } from '../../store/schedules/fires.ts'
import { listPauses } from '../../store/schedules/pauses.ts'
import {
  countEnded,
  countOpen,
  countPendingReports,
  listFailingReports,
  listUnderWay,
  MOST_ENDED,
  type EndedRuns,
  type FailingReports,
  type OpenRuns,
  type PendingReports,
  type RunUnderWay,
} from '../../store/status.ts'
import { listed, warning, type Finding } from '../check.ts'
import { faultsOfConfig } from '../config.ts'
import { faultsOfProcesses } from '../duties.ts'
import { checkStanding } from '../standing.ts'
import { overAll, type DutyStatus } from './duties.ts'
import { lastOf, nextOf, type LastFire, type NextFire } from './fires.ts'

const MOST_FIRES = 10
const MOST_UNDER_WAY = 20

/** The workers that are at work, together. */
export interface WorkersStatus {
  atWork: number
  /** Runs that they have under way, of the most that they do at a time; null: one of them does not say that. */
  runs: number
  slots: number | null
  /** Each version once. */
  versions: string[]
  /** How long ago each of them was heard of at most, in ms; null: none is at work. */
  heardAgoMs: number | null
  /** Those that were heard of lately and missed their beats since, and how long ago one of them was heard of. */
  silent: number
  silentAgoMs: number | null
}

/** What belongs to no job: for whoever sees all. */
export interface WholeStatus {
  processes: KnownProcess[]
  /** Of the configuration file of whoever asks; empty without one. */
  configDigest: string
  duties: DutyStatus[]
  reports: PendingReports & { failing: FailingReports[] }
  suspects: Suspect[]
  /** What somebody must look at, with its cure. */
  stands: Finding[]
}

/** How the store says that things stand; of some jobs alone, where only those are seen. Ages and times are by its clock. */
export interface Status {
  now: string
  /** Nothing stands that should not, in all of it. */
  well: boolean
  /** The pause of everything. */
  drained: Pause | null
  /** Pauses of single jobs. */
  pauses: Pause[]
  workers: WorkersStatus
  /** Schedulers that are at work; when one looked last for what is due. */
  scheduler: { atWork: number; lookedAt: string | null }
  /** Runs that are not over. */
  runs: OpenRuns[]
  /** Of those that workers have, the twenty that take longest. */
  underWay: RunUnderWay[]
  /** Runs that ended in the last hour; `isCut`: there were more than were counted. */
  ended: { runs: EndedRuns[]; isCut: boolean }
  /** The last fires, each of another job. */
  fires: LastFire[]
  /** The next fires, each of another job, the first first. */
  next: NextFire[]
  /** Null for whoever sees some jobs alone. */
  whole: WholeStatus | null
}

export interface StatusOptions {
  db: Db
  jobs: readonly Job[]
  /** Accounts of this configuration; undefined where it could not be read. */
  accounts: ReadonlySet<string> | undefined
  /** Faults of job files: their schedules are not known. */
  issues: readonly string[]
  /** Of the configuration file here; empty where it could not be read. */
  configDigest: string
  /** What is wrong with that file, with file and line. */
  configFault?: string | undefined
  /** The jobs that are seen; undefined: all, and what belongs to none. */
  seen?: readonly string[] | undefined
}

const noneAtWork = (silent: readonly KnownProcess[]) =>
  warning('processes', `No process of Nightshift is at work${aboutSilent(silent)}.`, 'nightshift start')

/** Said where none was heard of lately either. */
export const NOTHING_AT_WORK = noneAtWork([])

function nothingAtWork(processes: readonly KnownProcess[]): Finding {
  const silent = processes.filter(({ heardAgoMs }) => heardAgoMs < LATELY_MS)
  return silent.length === 0 ? NOTHING_AT_WORK : noneAtWork(silent)
}

/** How things stand, by the store alone: neither the queue, the gateway nor a model is asked. Each question goes by an index or is bounded. */
export async function takeStatus({ db, jobs, accounts, issues, configDigest, configFault, seen }: StatusOptions): Promise<Status> {
  const isSeen = (job: string) => seen === undefined || seen.includes(job)
  const [processes, duties, pauses] = [await listProcesses(db), await listDuties(db), await listPauses(db)]
  const now = (await loadServerFacts(db))?.now ?? new Date()
  const atWork = processes.filter(({ alive }) => alive)
  const stands = [
    ...(atWork.length === 0 ? [nothingAtWork(processes)] : [...faultsOfProcesses(processes, duties), ...faultsOfConfig(atWork)]),
    ...(configFault === undefined
      ? []
      : [
          warning(
            'config',
            configFault,
            'Correct the file; until then what processes read last is in force in them, no other can start, and job files and next fires are not looked at here.',
          ),
        ]),
    ...(issues.length === 0
      ? []
      : [warning('jobs', listed(issues), 'Correct what is named; until then the jobs from before are in force.')]),
    ...(await checkStanding({ db, jobs, accounts })),
  ]
  const ended = await countEnded(db, seen)
  const allDuties = overAll(duties)
  const schedules = allDuties.find(({ duty }) => duty === 'schedules')
  return {
    now: now.toISOString(),
    well: stands.length === 0,
    drained: pauses.find(({ job }) => job === ALL_JOBS) ?? null,
    pauses: pauses.filter(({ job }) => job !== ALL_JOBS && isSeen(job)),
    workers: workersOf(workersAmong(atWork, duties), silentAmong(processes)),
    scheduler: { atWork: schedules?.processes ?? 0, lookedAt: schedules?.succeededAt ?? null },
    runs: await countOpen(db, seen),
    underWay: await listUnderWay(db, seen, MOST_UNDER_WAY),
    ended: { runs: ended, isCut: ended.reduce((sum, { runs }) => sum + runs, 0) >= MOST_ENDED },
    fires: lastOf(await lastFires(db))
      .filter(({ job }) => isSeen(job))
      .slice(0, MOST_FIRES),
    next: (
      await nextOf(
        jobs.filter(({ name }) => isSeen(name)),
        pauses,
        now,
      )
    ).slice(0, MOST_FIRES),
    whole: seen
      ? null
      : {
          processes,
          configDigest,
          duties: allDuties,
          reports: { ...(await countPendingReports(db)), failing: await listFailingReports(db) },
          suspects: (await listSuspects(db)).filter(({ acknowledgedAt }) => acknowledgedAt === null),
          stands,
        },
  }
}

const ages = (processes: readonly KnownProcess[]) => processes.map(({ heardAgoMs }) => heardAgoMs)

function workersOf(workers: readonly KnownProcess[], silent: readonly KnownProcess[]): WorkersStatus {
  const slots = workers.map((worker) => worker.slots)
  return {
    atWork: workers.length,
    runs: workers.reduce((sum, { runs }) => sum + runs, 0),
    slots: slots.reduce<number | null>((sum, some) => (sum === null || some === null ? null : sum + some), 0),
    versions: [...new Set(workers.map(({ version }) => version))].toSorted(),
    heardAgoMs: workers.length === 0 ? null : Math.max(...ages(workers)),
    silent: silent.length,
    silentAgoMs: silent.length === 0 ? null : Math.min(...ages(silent)),
  }
}
