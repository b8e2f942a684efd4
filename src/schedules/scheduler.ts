import { firstWake } from '../core/ports/wake.ts'
import { createTask, type ScheduledTask } from 'node-cron'
import pLimit from 'p-limit'
import type { Logger } from 'pino'
import { messageOf } from '../core/failure.ts'
import { decideFires, type FireDecision } from '../core/rules/fires.ts'
import type { Job } from '../jobs/load.ts'
import { newRun } from '../runs/create.ts'
import { pauseOf, type PausedBy } from './view.ts'
import type { Db } from '../store/postgres/db.ts'
import { listPauses } from '../store/schedules/pauses.ts'
import { recordFires, syncSchedule } from '../store/schedules/fires.ts'
import { dueFires, nextFire } from './cron.ts'
import type { Waker } from '../core/ports/wake.ts'
import { sweep } from '../queue/sweep.ts'
import type { Lifecycle } from '../lib/lifecycle.ts'

export interface SchedulerOptions {
  db: Db
  producer: Waker
  /** The jobs in force, read at each tick. */
  jobs: () => ReadonlyMap<string, Job>
  staleAfterMs: number
  /** Daily work, such as removing what is old; called once an hour. */
  maintain?: (() => Promise<unknown>) | undefined
  log: Logger
  now?: () => Date
  /** Told of each fire that made a run: how late it was. */
  onFire?: ((lateMs: number) => void) | undefined
}

export interface Scheduler extends Lifecycle {
  /** One round: decides what is due and sweeps. What `start` does each second. */
  tick(): Promise<void>
}

const SWEEP_EVERY_MS = 5000
/** Schedules that are decided at the same time: fewer than the connections of the store's pool. */
const ABREAST = 8
const MAINTAIN_EVERY_MS = 3_600_000

const pausedFire = (at: Date, { reason, by }: PausedBy): FireDecision => ({ at, verdict: 'skip', reason: `paused by ${by}: ${reason}` })

/** Fires schedules. Any number of replicas may run: each fire is decided once, in SQL. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const { db, producer, log, now = () => new Date() } = options
  /** When each schedule is next looked at; keyed by what the schedule says, so that a change is looked at soon. */
  const next = new Map<string, number>()
  const abreast = pLimit(ABREAST)
  let task: ScheduledTask | undefined
  let ticking: Promise<void> | undefined
  let lastSweep = Number.NEGATIVE_INFINITY
  let lastUpkeep = now().getTime()

  async function fire(job: Job, at: Date): Promise<void> {
    const { schedule } = job.definition
    if (!schedule) return
    const key = `${job.name} ${schedule.cron} ${schedule.timezone}`
    if ((next.get(key) ?? 0) > at.getTime()) return
    const row = await syncSchedule(db, { job: job.name, cron: schedule.cron, timezone: schedule.timezone }, at)
    const due = dueFires(schedule, row.decidedUntil, at)
    const pause = due.length > 0 ? pauseOf(await listPauses(db), job.name) : null
    if (due.length > 0) {
      const decided = decideFires(due, at, schedule.missed).map((decision) => ({
        decision: pause ? pausedFire(decision.at, pause) : decision,
        run: newRun(job, { trigger: { kind: 'schedule', fireAt: decision.at.toISOString() } }),
      }))
      const written = await recordFires(db, job.name, decided, schedule.overlap, job.definition, at)
      for (const { at: fireAt, status, runId, reason } of written) {
        if (runId !== null) options.onFire?.(now().getTime() - fireAt.getTime())
        log.info({ job: job.name, fireAt, runId, reason }, status === 'run' ? 'Schedule fired.' : 'Fire skipped.')
      }
      await producer.wakeSoon(written.flatMap(({ runId, held }) => (runId === null || held ? [] : [firstWake(runId)])))
    }
    next.set(key, nextFire(schedule, at)?.getTime() ?? Number.POSITIVE_INFINITY)
  }

  async function round(): Promise<void> {
    const at = now()
    await abreast.map(options.jobs().values(), (job) =>
      fire(job, at).catch((error: unknown) =>
        log.error({ job: job.name, reason: messageOf(error) }, 'The schedule could not be looked at; it is tried again.'),
      ),
    )
    if (at.getTime() - lastSweep >= SWEEP_EVERY_MS) {
      lastSweep = at.getTime()
      await sweep({ db, producer, staleAfterMs: options.staleAfterMs, log }).catch((error: unknown) =>
        log.error({ reason: messageOf(error) }, 'The sweep failed; it is tried again.'),
      )
    }
    if (at.getTime() - lastUpkeep >= MAINTAIN_EVERY_MS) {
      lastUpkeep = at.getTime()
      await maintain()
    }
  }

  async function maintain(): Promise<void> {
    await options
      .maintain?.()
      .catch((error: unknown) => log.error({ reason: messageOf(error) }, 'The upkeep of the store failed; it is tried again in an hour.'))
  }

  /** A tick that comes while the last one is at work joins it. */
  function tick(): Promise<void> {
    ticking ??= round().finally(() => (ticking = undefined))
    return ticking
  }

  return {
    tick,
    async start() {
      if (task) return
      task = createTask('* * * * * *', () => tick(), { noOverlap: true, suppressMissedWarning: true })
      await task.start()
      await tick()
    },
    async stop() {
      await task?.destroy()
      task = undefined
      await ticking
    },
  }
}
