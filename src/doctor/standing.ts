import { STANDS_AFTER_MS } from '../core/rules/states.ts'
import type { Job } from '../jobs/job.ts'
import { showTime } from '../lib/show/time.ts'
import { nextFire } from '../lib/time/cron.ts'
import { listSuspects } from '../store/audit/suspects.ts'
import { badRowStats } from '../store/bad-rows.ts'
import type { Db } from '../store/postgres/db.ts'
import {
  countStandingAlarms,
  listProgress,
  listStandingReports,
  listStandingRuns,
  MOST_COUNTED,
  type StandingReports,
  type StandingRuns,
} from '../store/standing.ts'
import { warning, type Finding } from './check.ts'

export interface StandingCheck {
  db: Db
  jobs: readonly Job[]
  /** Accounts of this configuration; undefined where it could not be read. */
  accounts: ReadonlySet<string> | undefined
}

/** What stands in a state for longer than it should: runs, reports, fires, alarms, suspect accounts; and rows that a duty cannot handle. */
export async function checkStanding({ db, jobs, accounts }: StandingCheck): Promise<Finding[]> {
  const { dueRun: dueMs, heldRun: heldMs, runningRun: runningMs, waitingRun: waitingMs } = STANDS_AFTER_MS
  return [
    ...(await listStandingRuns(db, { dueMs, heldMs, runningMs, waitingMs })).map((one) => aboutRuns(one, accounts)),
    ...(await checkFires(db, jobs)),
    ...(await listStandingReports(db, STANDS_AFTER_MS.report)).map(aboutReports),
    ...(await checkAlarms(db)),
    ...(await checkSuspects(db)),
    ...(await checkBadRows(db)),
  ]
}

const counted = (n: number, what: string) => `${n >= MOST_COUNTED ? 'at least ' : ''}${n} ${what}${n === 1 ? '' : 's'}`

function aboutRuns({ kind, heldBy, account, server, runs, id }: StandingRuns, accounts: StandingCheck['accounts']): Finding {
  const those = `${counted(runs, 'run')} (the oldest is ${id})`
  switch (kind) {
    case 'due':
      return warning(
        'runs',
        `No worker takes ${those}, due for more than ten minutes.`,
        'Start a worker, or more of them: nightshift start --only worker. What those that are there do, nightshift runs --status running says.',
      )
    case 'held':
      return warning(
        'runs',
        `The limit of ${heldBy} has held ${those} for more than a day.`,
        'Raise concurrency of the job or the account, or see what has its slots: nightshift runs --status running.',
      )
    case 'abandoned':
      return warning(
        'runs',
        `The worker of ${those} has not been heard of for more than ten minutes, and no other takes over.`,
        'Start a worker and a scheduler: nightshift start.',
      )
    case 'waiting':
      return aboutWaiting(those, { account, server }, accounts)
  }
}

function aboutWaiting(
  those: string,
  { account, server }: Pick<StandingRuns, 'account' | 'server'>,
  accounts: StandingCheck['accounts'],
): Finding {
  if (account === null || server === null)
    return warning(
      'waiting',
      `${those} wait for what this version does not know.`,
      'Use the version that wrote them, or cancel them: nightshift cancel --status waiting.',
    )
  const what = `${those} have waited for more than a day for a person to connect ${server} as ${account}.`
  return accounts === undefined || accounts.has(account)
    ? warning('waiting', what, `nightshift connect ${server} --account ${account}`)
    : warning(
        'waiting',
        `${what} This configuration has no account ${account}.`,
        `Put the account back, or cancel them: nightshift cancel --status waiting.`,
      )
}

/** Fires that no scheduler has decided, of the schedules as the job files have them. */
async function checkFires(db: Db, jobs: readonly Job[]): Promise<Finding[]> {
  const progress = await listProgress(db)
  return jobs.flatMap(({ name, definition: { schedule } }) => {
    const known =
      schedule && progress.find(({ job, cron, timezone }) => job === name && cron === schedule.cron && timezone === schedule.timezone)
    const next = known && nextFire(schedule, known.decidedUntil)
    if (!next || next.getTime() > known.now.getTime() - STANDS_AFTER_MS.fire) return []
    return [
      warning(
        'schedules',
        `Nobody has decided the fire of ${name} at ${showTime(next)}.`,
        'Start a scheduler: nightshift start --only scheduler. If there is one, its log says why it does not.',
      ),
    ]
  })
}

function aboutReports({ place, status, reports, runId, error }: StandingReports): Finding {
  const those = `${counted(reports, 'report')} for ${place} (the oldest is of ${runId})`
  const why = error ?? 'no worker has tried'
  return status === 'pending'
    ? warning(
        'reports',
        `${those} could not be delivered for more than an hour: ${why}.`,
        'See the receiver: they go by themselves once it takes them.',
      )
    : warning(
        'reports',
        `${those} were given up in the last day: ${why}.`,
        `Correct the receiver; what they say, nightshift show ${runId} says.`,
      )
}

async function checkAlarms(db: Db): Promise<Finding[]> {
  const { alarms, tries } = await countStandingAlarms(db, STANDS_AFTER_MS.alarm)
  if (alarms === 0) return []
  return [
    warning(
      'alarms',
      `${counted(alarms, 'alarm')} could not be sent for more than ten minutes, tried ${tries === 1 ? 'once' : `up to ${tries} times`}.`,
      'See alerts: in the configuration and its receiver, and that nightshift audit follow runs, which sends them.',
    ),
  ]
}

async function checkSuspects(db: Db): Promise<Finding[]> {
  const suspects = (await listSuspects(db)).filter(({ acknowledgedAt }) => acknowledgedAt === null)
  return suspects.map(({ account, accountId, events, since }) =>
    warning(
      'suspects',
      `${counted(events, 'line')} of Pomerium’s log since ${showTime(since)} are of the account ${account ?? accountId}, and nothing of ours explains them.`,
      `nightshift audit report, then rotate its token, or: nightshift audit acknowledge ${account ?? accountId} --reason …`,
    ),
  )
}

async function checkBadRows(db: Db): Promise<Finding[]> {
  return (await badRowStats(db)).map(({ duty, rows }) =>
    warning(
      'rows',
      `${duty} could not handle ${counted(rows, 'row')} of the store in the last two days.`,
      'The log names each row and why; the duty goes on with the others.',
    ),
  )
}
