import { firstWake } from '../core/ports/wake.ts'
import pLimit from 'p-limit'
import type { Logger } from 'pino'
import { messageOf } from '../core/failure.ts'
import { decideFires } from '../core/rules/fires.ts'
import type { Job } from '../jobs/load.ts'
import { newRun } from '../runs/create.ts'
import { pauseOf } from './view.ts'
import type { Db } from '../store/postgres/db.ts'
import { listPauses } from '../store/schedules/pauses.ts'
import { recordFires, syncSchedule } from '../store/schedules/fires.ts'
import { dueFires, nextFire } from './cron.ts'
import type { Waker } from '../core/ports/wake.ts'
import { createPoller, type Poller } from '../lib/poll.ts'

export interface SchedulerOptions {
  db: Db
  producer: Waker
  /** The jobs in force, read at each tick. */
  jobs: () => ReadonlyMap<string, Job>
  log: Logger
  now?: () => Date
  /** Told of each fire that made a run: how late it was. */
  onFire?: ((lateMs: number) => void) | undefined
}

/** Every full second, since a cron expression can name seconds. Not by node-cron: it walks through each second that a machine slept (37 s of work for 60 h). */
const TICK_MS = 1000
/** Schedules that are decided at the same time: fewer than the connections of the store's pool. */
const SCHEDULE_CONCURRENCY = 8

/** Fires schedules. Any number of replicas may run: each fire is decided once, in SQL. */
export function createScheduler(options: SchedulerOptions): Poller {
  const { db, producer, log, now = () => new Date() } = options
  /** When each schedule is next looked at; keyed by what the schedule says, so that a change is looked at soon. */
  const next = new Map<string, number>()
  const limited = pLimit(SCHEDULE_CONCURRENCY)

  async function fire(job: Job, at: Date): Promise<void> {
    const { schedule } = job.definition
    if (!schedule) return
    const key = `${job.name} ${schedule.cron} ${schedule.timezone}`
    if ((next.get(key) ?? 0) > at.getTime()) return
    const row = await syncSchedule(db, { job: job.name, cron: schedule.cron, timezone: schedule.timezone }, at)
    const due = dueFires(schedule, row.decidedUntil, at)
    const paused = due.length > 0 ? pauseOf(await listPauses(db), job.name) : null
    if (due.length > 0) {
      const decided = decideFires(due, { now: at, missed: schedule.missed, paused }).map((decision) => ({
        decision,
        run: newRun(job, { trigger: { kind: 'schedule', fireAt: decision.at.toISOString() } }),
      }))
      const written = await recordFires(db, job.name, decided, schedule.overlap, job.definition, at)
      for (const { at: fireAt, status, runId, reason } of written) {
        if (runId !== null) options.onFire?.(now().getTime() - fireAt.getTime())
        log.info({ job: job.name, fireAt, runId, reason }, status === 'run' ? 'Schedule fired.' : 'Fire skipped.')
      }
      producer.wakeSoon(
        written.flatMap(({ runId, waitsForEarlierRun }) => (runId === null || waitsForEarlierRun ? [] : [firstWake(runId)])),
      )
    }
    next.set(key, nextFire(schedule, at)?.getTime() ?? Number.POSITIVE_INFINITY)
  }

  return createPoller({
    name: 'schedules',
    everyMs: TICK_MS,
    aligned: true,
    async work() {
      const at = now()
      await limited.map(options.jobs().values(), (job) =>
        fire(job, at).catch((error: unknown) =>
          log.error({ job: job.name, reason: messageOf(error) }, 'The schedule could not be looked at; it is tried again.'),
        ),
      )
    },
    onFailure: (error) => log.error({ reason: messageOf(error) }, 'The schedules could not be looked at; they are tried again.'),
  })
}
