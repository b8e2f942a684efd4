import { dutyFault } from '../core/duties.ts'
import type { Job } from '../jobs/job.ts'
import type { Db } from '../store/postgres/db.ts'
import { loadServerFacts } from '../store/postgres/facts.ts'
import { listDuties, listProcesses, type KnownDuty, type KnownProcess } from '../store/processes.ts'
import { lastFires, type RecordedFire } from '../store/schedules/fires.ts'
import { listPauses, type Pause } from '../store/schedules/pauses.ts'
import { endedStats, queueStats, reportStats, type QueueStats, type ReportStats } from '../store/stats.ts'
import { warning, type Finding } from './check.ts'
import { checkProcesses } from './duties.ts'
import { checkStanding } from './standing.ts'

const MOST_FIRES = 10

/** A duty over all processes that have it. */
export interface DutyStatus {
  duty: string
  processes: number
  /** Of any process; null before the first. */
  succeededAt: Date | null
  /** Of any process. */
  fault: 'failing' | 'late' | null
}

/** How the store says that things stand. */
export interface Status {
  /** By the clock of the store, as all times here. */
  now: Date
  /** Nothing stands that should not. */
  well: boolean
  /** Runs that are not over. */
  runs: QueueStats[]
  /** Runs that ended in the last day, a thousand at most. */
  ended: { status: string; runs: number }[]
  reports: ReportStats
  processes: KnownProcess[]
  duties: DutyStatus[]
  /** The last fires, each of another job. */
  fires: (RecordedFire & { job: string })[]
  pauses: Pause[]
  /** What somebody must look at, with its cure. */
  stands: Finding[]
}

export interface StatusOptions {
  db: Db
  jobs: readonly Job[]
  /** Accounts of this configuration. */
  accounts: ReadonlySet<string>
  /** Faults of job files: their schedules are not known. */
  issues: readonly string[]
}

/** How things stand, by the store alone: neither the queue, the gateway nor a model is asked. Each question goes by an index or is bounded. */
export async function takeStatus({ db, jobs, accounts, issues }: StatusOptions): Promise<Status> {
  const processes = await listProcesses(db)
  const stands = [
    ...(processes.some(({ alive }) => alive) ? [] : [warning('processes', 'No process of Nightshift is at work.', 'nightshift start')]),
    ...(await checkProcesses(db)),
    ...(issues.length === 0
      ? []
      : [warning('jobs', issues.join('; '), 'Correct what is named; until then the jobs from before are in force.')]),
    ...(await checkStanding({ db, jobs, accounts })),
  ].filter(({ status }) => status === 'warning' || status === 'failed')
  return {
    now: (await loadServerFacts(db))?.now ?? new Date(),
    well: stands.length === 0,
    runs: await queueStats(db),
    ended: await endedStats(db),
    reports: await reportStats(db),
    processes,
    duties: overAll(await listDuties(db)),
    fires: [...(await lastFires(db))]
      .map(([job, fire]) => ({ job, ...fire }))
      .toSorted((one, other) => other.at.getTime() - one.at.getTime())
      .slice(0, MOST_FIRES),
    pauses: await listPauses(db),
    stands,
  }
}

function overAll(duties: readonly KnownDuty[]): DutyStatus[] {
  return [...Map.groupBy(duties, ({ duty }) => duty)].map(([duty, those]) => {
    const latest = Math.max(...those.map(({ succeededAt }) => succeededAt?.getTime() ?? 0))
    const faults = those.map(dutyFault)
    return {
      duty,
      processes: those.length,
      succeededAt: latest === 0 ? null : new Date(latest),
      fault: faults.find((fault) => fault === 'failing') ?? faults.find((fault) => fault !== undefined) ?? null,
    }
  })
}
