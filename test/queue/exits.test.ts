import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALARM_STATES, FIRE_STATES, REPORT_STATES, RUN_STATES } from '../../src/core/rules/states.ts'
import { timelineOf } from '../../src/core/timeline.ts'
import { isFinal, noUsage, RUN_STATUSES } from '../../src/core/run.ts'
import { nextFire } from '../../src/lib/time/cron.ts'
import { sweep } from '../../src/queue/sweep.ts'
import { cancelRun } from '../../src/runs/cancel.ts'
import { query, type Db } from '../../src/store/postgres/db.ts'
import { requestCancel } from '../../src/store/runs/heartbeat.ts'
import { finishRun } from '../../src/store/runs/finish.ts'
import { hold } from '../../src/store/runs/holds.ts'
import { retryRuns } from '../../src/store/runs/retry.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { suspendRun } from '../../src/store/runs/suspend.ts'
import { listFires } from '../../src/store/schedules/fires.ts'
import { pauseJob, liftPause } from '../../src/store/schedules/pauses.ts'
import { listProgress } from '../../src/store/standing.ts'
import { resumeWaiting } from '../../src/store/waiting/waiting.ts'
import { claim, endCancelled, waitingForShop, writeRun } from '../support/database/attempts.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { producerTo } from '../support/recorded-queue.ts'
import { someone } from '../support/actor.ts'

const LEASE_MS = 60_000
const job = (more: string) => `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query], required: false, minCalls: 0 }
deliver: [{ file: out }]
${more}`

let testApp: TestApp
beforeAll(async () => {
  const jobs = { work: job(''), often: job('schedule: { cron: "* * * * *", timezone: UTC }') }
  testApp = await buildTestApp({ jobs, scripts: { scripted: 'say done' } })
  // With it comes a version of the job that this program cannot read.
  await endCancelled(testApp.app.db, await writeRun(testApp.app.db))
})
afterAll(() => testApp[Symbol.asyncDispose]())

/**
 * The queue, as its rules are: an id that it was ever given does nothing again. What a process took and did not end is gone with it.
 */
function createQueue() {
  const used = new Set<string>()
  const waiting: { runId: string; jobId: string }[] = []
  const producer = producerTo((jobs) => {
    for (const { data, opts } of jobs) {
      const jobId = opts?.jobId ?? ''
      if (used.has(jobId)) continue
      used.add(jobId)
      waiting.push({ runId: data.runId, jobId })
    }
  })
  return { producer, waiting, take: () => waiting.splice(0) }
}

type Queue = ReturnType<typeof createQueue>

/** A worker takes the run from the queue by its round, and is never heard of again unless it is told to end the attempt. */
async function taken(db: Db, { producer, take }: Queue, id: string) {
  const [run] = await query<{ round: number }>(db, 'select attempts + holds as round from runs where id = $1', [id])
  await producer.wake([{ id, round: run?.round ?? 0 }])
  const [entry] = take()
  const claimed = await claim(db, id, { worker: 'gone', ...(entry && { queueJobId: entry.jobId }) })
  return claimed.kind === 'opened' ? claimed.opened.attempt : undefined
}

type Step = (db: Db, queue: Queue, id: string) => Promise<unknown>

/** What can happen to a run. Whoever did it died after the commit: no wake of it came to the queue. */
const STEPS: Record<string, Step> = {
  'taken by a worker that dies': taken,
  'waits for a person': async (db, queue, id) => {
    const attempt = await taken(db, queue, id)
    if (attempt) await suspendRun(db, attempt, waitingForShop)
  },
  'waits for what a later version knows': async (db, queue, id) => {
    const attempt = await taken(db, queue, id)
    if (!attempt) return
    await suspendRun(db, attempt, waitingForShop)
    await query(db, `update runs set waits_for = '{"kind": "approval"}' where id = $1`, [id])
  },
  'to be tried again later': async (db, queue, id) => {
    const attempt = await taken(db, queue, id)
    if (attempt) await suspendRun(db, attempt, { status: 'queued', failure: null, waitMs: 7_200_000, attemptStatus: 'failed' })
  },
  'handed back': async (db, queue, id) => {
    const attempt = await taken(db, queue, id)
    if (attempt) await suspendRun(db, attempt, { status: 'queued', failure: null, waitMs: 0, attemptStatus: 'lost' })
  },
  done: async (db, queue, id) => {
    const attempt = await taken(db, queue, id)
    if (attempt) await finishRun(db, attempt, { status: 'failed', reasons: [], failure: null, usage: noUsage, costUsd: null })
  },
  cancelled: (db, _, id) => cancelRun(db, id, someone()),
  'asked to be cancelled by one that dies': (db, _, id) => requestCancel(db, id, someone()),
  retried: (db, _, id) => retryRuns(db, { ids: [id] }, [], someone()),
  'connected by one that dies': (db) => resumeWaiting(db, 'reports', ['shop'], someone()),
  'held by a limit': (db, _, id) => hold(db, id, { by: 'job work', obstacle: null }),
  'held by a pause that is lifted': async (db, queue, id) => {
    await pauseJob(db, 'work', someone({ reason: 'later', name: 'ann' }))
    await taken(db, queue, id)
    await liftPause(db, 'work', someone())
  },
  'past its expireAt': (db, _, id) => query(db, "update runs set expire_at = now() - interval '1 minute' where id = $1", [id]),
  'to begin tomorrow': (db, _, id) =>
    query(db, "update runs set next_attempt_at = now() + interval '1 day' where id = $1 and status = 'queued'", [id]),
  'of a version that nobody here can read': (db, _, id) =>
    query(db, "update runs set job_version = 'sha256:1' where id = $1 and finished_at is null", [id]),
}

const ROUNDS = 40
const MOST_HOURS = 3

/** An hour passes for everything that is written. */
const letAnHourPass = (db: Db, hours = 1) =>
  query(
    db,
    `update runs set created_at = created_at - h, next_attempt_at = next_attempt_at - h, heartbeat_at = heartbeat_at - h,
       held_at = held_at - h, expire_at = expire_at - h
     from make_interval(hours => $1) as h where finished_at is null`,
    [hours],
  )

/** What the processes that live do, round by round, until nothing is open that they could move on. */
async function letOthersLive({ app }: TestApp, { producer, take }: Queue): Promise<void> {
  const { db, runner } = app
  const { signal } = new AbortController()
  let later: { runId: string; jobId: string }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await letAnHourPass(db, Math.min(round + 1, MOST_HOURS))
    await sweep({ db, producer, leaseMs: LEASE_MS, concurrencyOf: undefined })
    await producer.flush()
    const entries = [...later, ...take()]
    later = []
    await Promise.all(
      entries.map(async (entry) => {
        const { kind } = await runner.execute(entry.runId, entry.jobId, signal)
        // It stays in the queue; what was to be woken after any other end was lost with its process.
        if (kind === 'not-yet' || kind === 'busy') later.push(entry)
      }),
    )
    const [open] = await query<{ n: number }>(db, "select count(*)::int as n from runs where status in ('queued', 'running')")
    if (open?.n === 0) return
  }
}

/** Why a run is where it is, as `show` names it; undefined for one that nothing would ever move on. */
async function reasonOf(db: Db, id: string): Promise<string | undefined> {
  const run = await loadRun(db, id)
  if (!run) return undefined
  const { status, heldBy, afterRun, nextAttemptAt, waitsFor } = run
  if (isFinal(status)) return status
  if (status === 'waiting') return waitsFor?.kind
  if (status !== 'queued') return undefined
  const isAhead = nextAttemptAt !== null && Date.parse(nextAttemptAt) > Date.now()
  return heldBy ?? afterRun ?? (isAhead ? nextAttemptAt : undefined)
}

interface Happened {
  of: 'first' | 'second'
  step: string
}

const names = Object.keys(STEPS)
/** Each alone, to a run and to the one that was to begin after it; and each to a run whose worker is gone. */
const plain: Happened[][] = names.flatMap((step): Happened[][] => [
  [{ of: 'first', step }],
  [{ of: 'second', step }],
  [
    { of: 'first', step: 'taken by a worker that dies' },
    { of: 'first', step },
  ],
])
const story = fc.array(fc.record({ of: fc.constantFrom('first' as const, 'second' as const), step: fc.constantFrom(...names) }), {
  minLength: 2,
  maxLength: 6,
  size: 'max',
})

/** Lets all of it happen, each to two runs of its own, and then others live. Returns what has no way on, and whose past was told otherwise later. */
async function stuckAfter(stories: readonly (readonly Happened[])[]): Promise<{ stuck: string[]; rewritten: string[] }> {
  const { app } = testApp
  const queue = createQueue()
  const before = new Map<string, string[]>()
  const rewritten: string[] = []
  /** Each event keeps its place and its bytes, whatever came later. */
  const look = async (some: readonly { id: string; told: string }[]) => {
    for (const { id, told } of some) {
      const run = await loadRun(app.db, id)
      // This test moves the time at which it was made.
      const now = run ? timelineOf({ ...run, createdAt: '' }).map((event) => JSON.stringify(event)) : []
      const was = before.get(id) ?? []
      if (was.some((event, i) => event !== now[i])) rewritten.push(`${told}: ${was.join(' ')} → ${now.slice(0, was.length).join(' ')}`)
      before.set(id, now)
    }
  }
  const runs: { id: string; told: string }[] = []
  for (const one of stories) {
    const first = await testApp.write('work')
    const second = await testApp.write('work')
    await query(app.db, 'update runs set after_run = $2 where id = $1', [second, first])
    const told = one.map(({ of, step }) => `${of} ${step}`).join(', ')
    const both = [
      { id: first, told: `first of: ${told}` },
      { id: second, told: `second of: ${told}` },
    ]
    runs.push(...both)
    for (const { of, step } of one) {
      await STEPS[step]?.(app.db, queue, of === 'first' ? first : second)
      await look(both)
    }
  }
  await letOthersLive(testApp, queue)
  await look(runs)
  const stuck: string[] = []
  for (const { id, told } of runs) if ((await reasonOf(app.db, id)) === undefined) stuck.push(told)
  return { stuck, rewritten }
}

const noReportIsLeft = async () => {
  await testApp.app.outbox.round()
  expect(await query(testApp.app.db, "select 1 from deliveries where status = 'pending'")).toEqual([])
}

describe('with whoever worked on it gone, a run ends or waits for something that is shown, and its report is sent', () => {
  test('from each state', async () => {
    expect(await stuckAfter(plain)).toEqual({ stuck: [], rewritten: [] })
    await noReportIsLeft()
  })

  test('whatever came before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(story, { minLength: 8, maxLength: 8 }), async (stories) => {
        expect(await stuckAfter(stories)).toEqual({ stuck: [], rewritten: [] })
      }),
      { numRuns: 1, seed: 17, endOnFailure: true },
    )
    await noReportIsLeft()
  })
})

test('a fire that nobody decided is decided by the scheduler that lives', async () => {
  const { app } = testApp
  await app.scheduler.round()
  await query(app.db, "update schedule_progress set decided_until = decided_until - interval '10 minutes'")
  // Past the look that the scheduler has planned.
  const replica = await testApp.replica()
  await replica.scheduler.round()
  const [progress] = await listProgress(app.db)
  const next = progress && nextFire(progress, progress.decidedUntil)
  expect(next?.getTime()).toBeGreaterThan((progress?.now.getTime() ?? 0) - LEASE_MS)
  const fires = await listFires(app.db, 'often')
  expect(fires.length).toBeGreaterThanOrEqual(9)
  expect(fires.filter(({ status, runId }) => status === 'run' && runId === null)).toEqual([])
})

describe('the tables of states have', () => {
  const valuesOf = async (table: string, column: string) => {
    const [row] = await query<{ text: string }>(
      testApp.app.db,
      `select pg_get_constraintdef(c.oid) as text from pg_constraint c
       where c.conrelid = $1::regclass and c.contype = 'c' and pg_get_constraintdef(c.oid) like $2`,
      [table, `CHECK ((${column} = ANY%`],
    )
    return [...(row?.text ?? '').matchAll(/'([\w-]+)'::text/g)].map(([, value]) => value ?? '').toSorted()
  }
  const statusesOf = (rows: readonly { status: string }[]) => [...new Set(rows.map(({ status }) => status))].toSorted()

  test('each status that a run can have, and each obstacle that keeps one from being claimed', async () => {
    expect(statusesOf(RUN_STATES)).toEqual(await valuesOf('runs', 'status'))
    expect(statusesOf(RUN_STATES)).toEqual(RUN_STATUSES.toSorted())
    const [view] = await query<{ text: string }>(testApp.app.db, "select pg_get_viewdef('claims') as text")
    const obstacles = [...(view?.text ?? '').matchAll(/THEN '([\w-]+)'::text/g)].map(([, value]) => value ?? '')
    expect(obstacles.length).toBeGreaterThan(5)
    const named = new Set(RUN_STATES.map(({ when }) => when))
    expect(obstacles.filter((obstacle) => !named.has(obstacle))).toEqual([])
  })

  test('each status of a fire and of a report', async () => {
    expect(statusesOf(FIRE_STATES.filter(({ status }) => status !== 'not decided'))).toEqual(await valuesOf('fires', 'status'))
    expect(statusesOf(REPORT_STATES)).toEqual(await valuesOf('deliveries', 'status'))
  })

  test('for each state what moves it on, by when, and who is told', () => {
    for (const { status, movedBy, by, told } of [...RUN_STATES, ...FIRE_STATES, ...REPORT_STATES, ...ALARM_STATES])
      expect([status, movedBy, by, told]).not.toContain('')
  })
})
