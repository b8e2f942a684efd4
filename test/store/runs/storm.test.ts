import { randomUUID } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { Failure } from '../../../src/core/failure.ts'
import { noUsage, type AttemptRef } from '../../../src/core/run.ts'
import { createJournalWriter } from '../../../src/store/attempts/journal.ts'
import { endDeliveryTry, putOffDeliveries, takeDueDeliveries } from '../../../src/store/delivery/deliveries.ts'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { prune } from '../../../src/store/retention.ts'
import { finishRun, type RunEnd } from '../../../src/store/runs/finish.ts'
import { heartbeat, requestCancel } from '../../../src/store/runs/heartbeat.ts'
import { releaseIntoSlots, releaseNext, releaseUnpaused } from '../../../src/store/runs/holds.ts'
import { insertRunsOnce } from '../../../src/store/runs/idempotency.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { suspendRun } from '../../../src/store/runs/suspend.ts'
import { listWakeable } from '../../../src/store/runs/wakeable.ts'
import { backfillFires, recordFires } from '../../../src/store/schedules/fires.ts'
import { liftPause, pauseJob } from '../../../src/store/schedules/pauses.ts'
import { resumeWaiting } from '../../../src/store/waiting/waiting.ts'
import { claim, endCancelled, fallSilent, turnRecord, waitingForShop, writeRun } from '../../support/database/attempts.ts'
import { createTestDatabase } from '../../support/database/database.ts'
import { createDice, type Dice } from '../../support/dice.ts'
import { someone } from '../../support/actor.ts'

const place = { kind: 'webhook', name: 'team' }
const end = (dice: Dice): RunEnd => ({
  status: dice.roll() < 0.5 ? 'succeeded' : 'failed',
  reasons: [],
  failure: null,
  usage: noUsage,
  costUsd: null,
  deliveries: [{ id: randomUUID(), target: place, status: 'pending' }],
})
const newRun = (id: string) => ({
  id,
  job: 'work',
  jobVersion: 'sha256:1',
  account: 'reports',
  trigger: { kind: 'cli' } as const,
  input: {},
})
const concurrencyOf = () => ({ job: 3, account: 4 })
const MINUTE_MS = 60_000
/** A minute of the last hour: two writers often mean the same one. */
const minute = (dice: Dice) => new Date(Math.floor(Date.now() / MINUTE_MS - dice.between(1, 60)) * MINUTE_MS)

interface Storm {
  db: Db
  dice: Dice
  /** A run: most often the one that all are at. */
  one: () => string
  /** The attempt that was opened last of the run that all are at, if there was one. */
  attempt: () => AttemptRef | undefined
  opened: AttemptRef[]
  journal: ReturnType<typeof createJournalWriter>
}

/** All that is done to runs, by whoever. A statement that writes runs, attempts or reports belongs here. */
const DEEDS: Record<string, (at: Storm) => Promise<unknown>> = {
  async claim({ db, one, opened, dice }) {
    const got = await claim(db, one(), { concurrencyOf: dice.roll() < 0.5 ? concurrencyOf : undefined })
    if (got.kind === 'opened') opened.push(got.opened.attempt)
  },
  async finish({ db, attempt, dice }) {
    const ref = attempt()
    if (ref) await finishRun(db, ref, end(dice))
  },
  async suspend({ db, attempt, dice }) {
    const again = { status: 'queued', failure: null, waitMs: 0, attemptStatus: 'failed' } as const
    const ref = attempt()
    if (ref) await suspendRun(db, ref, dice.roll() < 0.5 ? again : waitingForShop)
  },
  async turn({ attempt, journal, dice }) {
    const ref = attempt()
    if (ref) await journal.forAttempt(ref).turn(turnRecord(dice.between(1, 1_000_000)))
  },
  async beat({ db, opened }) {
    await heartbeat(
      db,
      'one',
      opened.map(({ runId }) => ({ runId, queueJobId: 'any' })),
    )
  },
  cancel: ({ db, one, dice }) => (dice.roll() < 0.5 ? requestCancel(db, one(), someone()) : endCancelled(db, one())),
  retry: ({ db, one, dice }) => retryRuns(db, dice.roll() < 0.5 ? {} : { ids: [one(), one()] }, [], someone()),
  resume: ({ db }) => resumeWaiting(db, 'reports', ['shop'], someone()),
  sweep: ({ db }) => listWakeable(db, { olderThanMs: 0, lateMs: 0, leaseMs: MINUTE_MS }),
  releaseNext: ({ db }) => releaseNext(db, { account: 'reports', job: 'work' }),
  releaseUnpaused: ({ db }) => releaseUnpaused(db),
  async releaseIntoSlots({ db }) {
    await query(
      db,
      "update runs set held_at = now() - interval '1 hour' where id in (select id from runs where held_by is not null limit 1 for update skip locked)",
    )
    await releaseIntoSlots(db, concurrencyOf)
  },
  async pause({ db }) {
    await pauseJob(db, 'work', someone({ reason: 'storm', name: 'ann' }))
    await liftPause(db, 'work', someone())
  },
  async queue({ db, one }) {
    const keys = new Set([one(), one()])
    await insertRunsOnce(
      db,
      [...keys].map((key) => ({ run: newRun(`run_${randomUUID()}`), definition: {}, key: { owner: 'ann', key, digest: 'same' } })),
    )
  },
  async fire({ db, dice }) {
    const at = minute(dice)
    const run = newRun(`run_${randomUUID()}`)
    await recordFires(db, {
      schedule: { job: 'work', cron: '* * * * *', timezone: 'UTC' },
      fires: [{ decision: { at, verdict: 'run', madeUp: false }, run }],
      overlap: dice.roll() < 0.5 ? 'queue' : 'skip',
      definition: {},
      until: at,
    })
  },
  backfill: ({ db, dice }) => backfillFires(db, [{ at: minute(dice), run: newRun(`run_${randomUUID()}`) }], {}),
  async report({ db }) {
    const taken = await takeDueDeliveries(db, { limit: 5, perPlace: 5, busy: new Map(), leaseMs: 1 })
    for (const { id } of taken) await endDeliveryTry(db, id, { status: 'pending', error: 'HTTP 500', waitMs: 0 })
    await putOffDeliveries(db, JSON.stringify(place), 1)
  },
  prune: ({ db }) => prune(db, { content: { succeeded: 500 }, metadata: { succeeded: 1000, cancelled: 1000 }, log: 0 }),
}

/** Brings the run to be at work under a worker that fell silent, or another one in its place where it is over for good. */
async function begin(db: Db, id: string, opened: AttemptRef[]): Promise<string> {
  await query(db, 'delete from pauses')
  await retryRuns(db, { ids: [id] }, [], someone())
  await query(db, 'update runs set after_run = null where id = $1', [id])
  await fallSilent(db, id)
  const got = await claim(db, id)
  if (got.kind !== 'opened') return begin(db, await writeRun(db), opened)
  opened.push(got.opened.attempt)
  await fallSilent(db, id)
  return id
}

const BURSTS = 100
const AT_ONCE = 12

/** What may come of a deed that met another one: the attempt is another worker's by now. */
const isExpected = (error: unknown) => error instanceof Failure && error.code === 'WORKER_LOST'

test(
  'whatever is done to the same runs at once, nobody waits for each other in a circle, and each run is in a state that it can leave',
  { timeout: 300_000 },
  async () => {
    await using database = await createTestDatabase()
    const db = openDb({ url: database.url, max: 16 })
    const dice = createDice(20_261_127)
    const ids: string[] = []
    for (let n = 0; n < 8; n++) ids.push(await writeRun(db, n === 0 ? {} : { afterRun: ids[n - 1] }))
    const opened: AttemptRef[] = []
    const pick = <T>(from: readonly T[]) => from[dice.between(0, from.length - 1)]
    const names = Object.keys(DEEDS)
    const faults: string[] = []
    const journal = createJournalWriter(db)
    for (let burst = 0; burst < BURSTS; burst++) {
      const at = dice.between(0, ids.length - 1)
      const target = await begin(db, ids[at] ?? '', opened)
      ids[at] = target
      const storm: Storm = {
        db,
        dice,
        one: () => (dice.roll() < 0.8 ? target : (pick(ids) ?? '')),
        attempt: () => opened.findLast(({ runId }) => runId === target),
        opened,
        journal,
      }
      // Half of them are of the three that every run meets.
      const deeds = Array.from({ length: AT_ONCE }, (_, n) => (n % 2 === 0 ? pick(['claim', 'finish', 'suspend']) : pick(names)) ?? '')
      await Promise.all(
        deeds.map(async (name) =>
          DEEDS[name]?.(storm).catch((error: unknown) => {
            if (!isExpected(error)) faults.push(`${name}: ${String(error)}`)
          }),
        ),
      )
    }
    expect(faults).toEqual([])
    expect(
      await query(
        db,
        `select r.id, r.status from runs r where
         (r.status = 'running') <> exists (select 1 from attempts a where a.run_id = r.id and a.finished_at is null)
         or (r.finished_at is null) <> (r.status in ('queued', 'running', 'waiting'))
         or (r.status = 'waiting') <> (r.waits_for is not null)`,
      ),
    ).toEqual([])
    // A session tells the count when it ends.
    await db.end()
    const admin = openDb({ url: inject('postgresUrl'), max: 1 })
    const name = new URL(database.url).pathname.slice(1)
    await expect
      .poll(() => query(admin, 'select 1 from pg_stat_activity where datname = $1 and application_name = $2', [name, 'nightshift']))
      .toEqual([])
    expect(await query(admin, 'select deadlocks from pg_stat_database where datname = $1', [name])).toEqual([{ deadlocks: 0 }])
    await admin.end()
  },
)
