import { firstWake } from '../core/ports/wake.ts'
import pLimit from 'p-limit'
import type { Logger } from 'pino'
import { describeError } from '../core/failure.ts'
import { decideFires } from '../core/rules/schedules/missed.ts'
import type { Job } from '../jobs/job.ts'
import { filledInput, inputFault, newRun } from '../runs/create.ts'
import { pauseOf } from './view.ts'
import type { Db } from '../store/postgres/db.ts'
import { listPauses } from '../store/schedules/pauses.ts'
import { recordFires } from '../store/schedules/fires.ts'
import { noteScheduler, seeSchedules, syncSchedule, type ScheduleKey } from '../store/schedules/progress.ts'
import { nextFire } from '../lib/time/cron.ts'
import { dueFires } from './due.ts'
import type { Waker } from '../core/ports/wake.ts'
import { createPoller, type Poller } from '../lib/time/poll.ts'

export interface SchedulerOptions {
  db: Db
  producer: Waker
  /** The jobs in force, read at each tick. */
  jobs: () => ReadonlyMap<string, Job>
  log: Logger
  now?: () => Date
  /** Called for each fire that made a run, with its lateness. */
  onFire?: ((lateMs: number) => void) | undefined
}

/** Every full second, since a cron expression can name seconds. Not by node-cron: it walks through each second that a machine slept (37 s of work for 60 h). */
const TICK_MS = 1000
/** How often the schedules in force are written to the store. */
const SEEN_MS = 60_000
/** Schedules that are decided at the same time: fewer than the connections of the store's pool. */
const SCHEDULE_CONCURRENCY = 8
/** A schedule that could not be decided is left alone for this time, doubled each time it fails again. */
const BACKOFF_MS = 1000
const MAX_BACKOFF_MS = 60_000

/** When a schedule is looked at again. */
interface Look {
  at: number
  failures: number
}

/** Fires schedules. Any number of replicas may run, also with different versions of a job file: each fire is decided once, in SQL. */
export function createScheduler(options: SchedulerOptions): Poller {
  const { db, producer, log, now = () => new Date() } = options
  /** By job, cron and zone, so that a changed schedule is looked at in the next tick. */
  const looks = new Map<string, Look>()
  const limited = pLimit(SCHEDULE_CONCURRENCY)
  const rivals = new Set<string>()
  let lastAt = 0
  let seenAt = Number.NEGATIVE_INFINITY

  /** Decides the schedule's fires up to `at`. False while another replica or a backfill holds the lock. */
  async function fire(job: Job, schedule: Schedule, at: Date): Promise<boolean> {
    const key = keyOf(job.name, schedule)
    const { decidedUntil, aheadUntil } = await syncSchedule(db, key, at)
    if (aheadUntil)
      log.warn({ job: job.name, until: aheadUntil }, 'The schedule was decided by a clock that was ahead; it goes on from now.')
    const due = dueFires(schedule, decidedUntil, at)
    if (due.fires.length === 0) return true
    const decisions = decideFires(due, {
      now: at,
      missed: schedule.missed,
      paused: pauseOf(await listPauses(db), job.name),
      unfit: unfitness(job, schedule),
    })
    const fires = decisions.map((decision) => ({
      decision,
      run:
        decision.verdict === 'run'
          ? newRun(job, { trigger: { kind: 'schedule', fireAt: decision.at.toISOString() }, input: schedule.input ?? {} })
          : undefined,
    }))
    const written = await recordFires(db, { schedule: key, fires, overlap: schedule.overlap, definition: job.kept, until: at })
    if (!written) return false
    for (const { at: fireAt, status, runId, reason } of written) {
      if (runId !== null) options.onFire?.(now().getTime() - fireAt.getTime())
      log.info({ job: job.name, fireAt, runId, reason }, status === 'run' ? 'Schedule fired.' : 'Fire skipped.')
    }
    producer.wakeSoon(written.flatMap(({ runId, waitsForEarlierRun }) => (runId === null || waitsForEarlierRun ? [] : [firstWake(runId)])))
    return true
  }

  async function look(job: Job, schedule: Schedule, at: Date): Promise<void> {
    const key = nameOf(keyOf(job.name, schedule))
    const last = looks.get(key)
    if (last && last.at > at.getTime()) return
    try {
      const decided = await fire(job, schedule, at)
      looks.set(key, { at: decided ? (nextFire(schedule, at)?.getTime() ?? Number.POSITIVE_INFINITY) : 0, failures: 0 })
    } catch (error) {
      const failures = (last?.failures ?? 0) + 1
      const backoffMs = Math.min(BACKOFF_MS * 2 ** (failures - 1), MAX_BACKOFF_MS)
      looks.set(key, { at: at.getTime() + backoffMs, failures })
      log.error({ job: job.name, reason: describeError(error), backoffMs }, 'The schedule could not be looked at; it is tried again.')
    }
  }

  /** Writes which schedules are in force here, and warns once when another replica has a different one for the same job. */
  async function see(schedules: readonly ScheduleKey[]): Promise<void> {
    for (const rival of await seeSchedules(db, schedules)) {
      if (rivals.has(nameOf(rival))) continue
      rivals.add(nameOf(rival))
      log.warn({ ...rival }, 'Another scheduler has another schedule of this job: both fire, until all have the same job files.')
    }
  }

  return createPoller({
    name: 'schedules',
    everyMs: TICK_MS,
    aligned: true,
    async work() {
      const at = now()
      // The clock was set back: the planned times are void.
      if (at.getTime() < lastAt) looks.clear()
      lastAt = at.getTime()
      const scheduled = [...options.jobs().values()].flatMap((job) => {
        const { schedule } = job.definition
        return schedule ? [{ job, schedule }] : []
      })
      const isNoteDue = performance.now() - seenAt >= SEEN_MS
      if (isNoteDue) await noteScheduler(db)
      await limited.map(scheduled, ({ job, schedule }) => look(job, schedule, at))
      if (!isNoteDue) return
      await see(scheduled.map(({ job, schedule }) => keyOf(job.name, schedule)))
      seenAt = performance.now()
    },
    onFailure: (error) => log.error({ reason: describeError(error) }, 'The schedules could not be looked at; they are tried again.'),
  })
}

type Schedule = NonNullable<Job['definition']['schedule']>

const keyOf = (job: string, { cron, timezone }: Schedule): ScheduleKey => ({ job, cron, timezone })
const nameOf = ({ job, cron, timezone }: ScheduleKey) => `${job} ${cron} ${timezone}`

/** Why the job cannot run with the input of its schedule. */
function unfitness(job: Job, schedule: Schedule): string | undefined {
  const fault = inputFault(job.definition, filledInput(job.definition, schedule.input ?? {}))
  if (fault === undefined) return undefined
  return `the job cannot run by itself: ${schedule.input ? 'with the input of its schedule' : 'without an input'} ${fault}`
}
