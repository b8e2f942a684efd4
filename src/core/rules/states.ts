// Every state that a run, a fire, a report, an alarm and an account can be in, and its way out: what moves it on, by when at the latest, and who is told if not. A test
// holds it to the columns and to the view `claims`; ARCHITECTURE.md prints it (npm run generate); `nightshift doctor` lists what stands for longer than `standsAfterMs`.
import { MAX_DELIVERY_TRIES } from './delivery.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

export interface State {
  /** The value of the column. */
  status: string
  /** Which of those that have it; of a run, the obstacle that the view `claims` names for it. */
  when?: string
  movedBy: string
  by: string
  told: string
  /** From then on `doctor` lists it. */
  standsAfterMs?: number
}

const state = <Row extends State>(row: Row): Row => row

/** A queued run that nothing is in the way of. */
const dueRun = state({
  status: 'queued',
  movedBy: 'the claim of a worker with a free slot; the sweep adds it to the queue again',
  by: 'a slot is free; the sweep comes after 10 s',
  told: '`doctor`, `nightshift_open_runs_oldest_seconds`',
  standsAfterMs: 10 * MINUTE_MS,
})
const heldRun = state({
  status: 'queued',
  when: 'held by a limit (`heldBy`)',
  movedBy: 'the end of a run with a slot of that limit, or the sweep once there is a free one',
  by: 'the deadlines of the runs that have the slots',
  told: '`show`, `doctor`',
  standsAfterMs: DAY_MS,
})
const runningRun = state({
  status: 'running',
  when: 'running',
  movedBy: 'its worker, or the one that takes it over when its lease ran out',
  by: '`limits.deadline`; `worker.lockTimeout` after its worker fell silent. Five lost workers beside `retry.attempts` are the most',
  told: '`doctor`, when nobody takes it over',
  standsAfterMs: 10 * MINUTE_MS,
})
const waitingRun = state({
  status: 'waiting',
  when: 'not-runnable',
  movedBy: 'a person who connects the server (`waitsFor`); the consent watcher sees it within a minute. After ten times it fails',
  by: 'no time: a person decides, and may cancel it',
  told: '`show`, the log, `doctor`',
  standsAfterMs: DAY_MS,
})

export const RUN_STATES: readonly State[] = [
  dueRun,
  {
    status: 'queued',
    when: 'paused',
    movedBy: '`nightshift resume`; the sweep lets it go within 5 s',
    by: 'no time: an operator decides',
    told: '`show` (`heldBy`), `doctor`',
  },
  heldRun,
  {
    status: 'queued',
    when: 'earlier-run',
    movedBy: 'the end of the run that it waits for (`afterRun`), whatever end that is',
    by: 'that run’s own latest end',
    told: '`show`; `doctor` lists the run that it waits for',
  },
  {
    status: 'queued',
    when: 'not-due',
    movedBy: 'the time: of its start, or of its next try (`nextAttemptAt`)',
    by: 'a start within 366 days, a try within 24 h',
    told: '`show`',
  },
  {
    status: 'queued',
    when: 'expired',
    movedBy: 'whoever takes it ends it with `EXPIRED`; the sweep adds it to the queue',
    by: 'a slot is free',
    told: '`show` (`expireAt`), `doctor` as one that is due',
  },
  {
    status: 'queued',
    when: 'cancel-requested',
    movedBy: 'whoever takes it ends it with `CANCELLED`; the sweep adds it to the queue',
    by: 'a slot is free',
    told: '`doctor` as one that is due',
  },
  runningRun,
  waitingRun,
  ...(['succeeded', 'incomplete', 'failed', 'cancelled'] as const).map((status): State => ({
    status,
    when: 'not-runnable',
    movedBy:
      status === 'succeeded'
        ? 'retention; of a hosted run lines of Pomerium’s log that its provider did not report: it is `incomplete` then'
        : 'a retry by an operator; retention',
    by: 'it may stay',
    told: 'its reports',
  })),
]

const undecidedFire = state({
  status: 'not decided',
  movedBy: 'a scheduler, at the full second; after an outage by `missed:`',
  by: 'a minute, while a scheduler is at work',
  told: '`doctor`, `nightshift_duty_last_success_timestamp_seconds`',
  standsAfterMs: 5 * MINUTE_MS,
})

export const FIRE_STATES: readonly State[] = [
  undecidedFire,
  { status: 'run', movedBy: 'its run', by: 'see there', told: '`nightshift schedules`' },
  { status: 'skipped', movedBy: 'a backfill; retention', by: 'it may stay', told: '`nightshift schedules`, with the reason' },
]

const pendingReport = state({
  status: 'pending',
  movedBy: `the outbox of any worker: ${MAX_DELIVERY_TRIES} tries, at growing intervals`,
  by: 'a day and a half; later for many reports to a place that answers nothing, which is asked four times a minute',
  told: 'the log at each try, `show`, `doctor`',
  standsAfterMs: HOUR_MS,
})
const failedReport = state({
  status: 'failed',
  movedBy: 'nothing: its last try failed, or no later one could succeed. A retry of the run makes another',
  by: 'it may stay',
  told: 'the log, `show`, `doctor` for a day',
  standsAfterMs: 0,
})

export const REPORT_STATES: readonly State[] = [
  pendingReport,
  { status: 'delivered', movedBy: 'retention', by: 'it may stay', told: '`show`' },
  failedReport,
  { status: 'skipped', movedBy: 'retention', by: 'it may stay', told: '`show`' },
]

const unsentAlarm = state({
  status: 'not sent',
  movedBy: '`audit follow`, each `audit import`, and a scheduler once a minute: tried again at growing intervals of ten minutes at most',
  by: 'no time: an alarm is never given up',
  told: 'the log at each try, an error where its receiver refuses it, `nightshift_audit_alarms_unsent`, `doctor`',
  standsAfterMs: 10 * MINUTE_MS,
})
const suspectAccount = state({
  status: 'suspect',
  movedBy: '`nightshift audit acknowledge`, with a reason',
  by: 'no time: a person decides',
  told: 'the alarm, exit code 3 of `audit report`, `nightshift_audit_unexplained_lines`, `doctor`',
  standsAfterMs: 0,
})

export const ALARM_STATES: readonly State[] = [
  unsentAlarm,
  { status: 'sent', movedBy: 'retention', by: 'it may stay', told: 'its receiver' },
  suspectAccount,
  { status: 'acknowledged', movedBy: 'a new line that nothing explains; retention', by: 'it may stay', told: '`audit report`' },
]

/** After how many milliseconds each of them stands for too long. */
export const STANDS_AFTER_MS = {
  dueRun: dueRun.standsAfterMs,
  heldRun: heldRun.standsAfterMs,
  runningRun: runningRun.standsAfterMs,
  waitingRun: waitingRun.standsAfterMs,
  fire: undecidedFire.standsAfterMs,
  report: pendingReport.standsAfterMs,
  alarm: unsentAlarm.standsAfterMs,
} as const
