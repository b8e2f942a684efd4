import { randomUUID } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { noUsage, type AttemptRef } from '../../src/core/run.ts'
import * as history from '../../src/store/attempts/history.ts'
import { insertRunAccount } from '../../src/store/attempts/run-accounts.ts'
import { countRunsHolding } from '../../src/store/audit/accounts.ts'
import { matchByRequestId } from '../../src/store/audit/by-request-id.ts'
import { insertEvents, loadPosition } from '../../src/store/audit/events.ts'
import * as evidence from '../../src/store/audit/evidence.ts'
import { explainExpected } from '../../src/store/audit/expected.ts'
import { explainEvents, listUnexplainedRuns, loadHostedRuns } from '../../src/store/audit/hosted.ts'
import * as suspects from '../../src/store/audit/suspects.ts'
import { listUnexplained } from '../../src/store/audit/unexplained.ts'
import * as deliveries from '../../src/store/delivery/deliveries.ts'
import { badRowStats, forgetBadRows } from '../../src/store/bad-rows.ts'
import { openDb, query, type Db } from '../../src/store/postgres/db.ts'
import { prune } from '../../src/store/retention.ts'
import { finishRun, finishUnclaimedRun, loadUnclaimedRun, type RunEnd } from '../../src/store/runs/finish.ts'
import { cancelRequested, heartbeat, requestCancel } from '../../src/store/runs/heartbeat.ts'
import { fullLimit, hold, lockLimits, releaseIntoSlots, releaseNext, releaseUnpaused } from '../../src/store/runs/holds.ts'
import { forgetOldKeys, insertRunOnce, loadKey } from '../../src/store/runs/idempotency.ts'
import { insertRun } from '../../src/store/runs/insert.ts'
import { countQueued, groupRuns, listRuns } from '../../src/store/runs/list.ts'
import { retryRuns } from '../../src/store/runs/retry.ts'
import { findIds, latestId, loadRun, loadRunStates, loadStatus } from '../../src/store/runs/show.ts'
import { hasEnded, suspendRun } from '../../src/store/runs/suspend.ts'
import { listWakeable } from '../../src/store/runs/wakeable.ts'
import { openAttempt } from '../../src/store/runs/claim.ts'
import * as schedules from '../../src/store/schedules/fires.ts'
import { loadLastGreen } from '../../src/store/schedules/last-green.ts'
import { liftPause, listPauses, pauseJob } from '../../src/store/schedules/pauses.ts'
import { noteScheduler, seeSchedules, syncSchedule } from '../../src/store/schedules/progress.ts'
import { queueStats, suspectStats } from '../../src/store/stats.ts'
import { listWaiting, resumeWaiting, tryStartPoll } from '../../src/store/waiting/waiting.ts'
import { createTestDatabase, type TestDatabase } from '../support/database/database.ts'
import { fillStore, runId, RUNS } from '../support/database/large-store.ts'

/** Pages of 8 KB that one statement may touch: far below what a walk through any of the large tables takes. */
const MOST_PAGES = 400

const OVER = runId(RUNS / 2)
const QUEUED = runId(RUNS - 10)
/** A job and an account that many runs have. */
const JOB = 'job3'
const hour = { from: new Date(Date.now() - 3_600_000), to: new Date() }
const key = { owner: 'ann', key: 'new', digest: 'd' }
const newRun = () => ({
  id: `run_${randomUUID()}`,
  job: JOB,
  jobVersion: 'v1',
  account: 'account3',
  trigger: { kind: 'cli' } as const,
  input: {},
})
const end: RunEnd = { status: 'succeeded', reasons: [], failure: null, usage: noUsage, costUsd: null }
const EVENT = {
  lineDigest: 'new',
  occurrence: 1,
  requestId: 'new',
  time: hour.to,
  method: 'POST',
  host: 'labor.example',
  path: '/mcp',
  ip: '::1',
  userId: 'u',
  accountId: 'account0',
  mcpMethod: undefined,
  mcpTool: undefined,
  paramsDigest: undefined,
  params: undefined,
  runHeader: undefined,
  allowed: true,
  reasons: [],
}
const concurrencyOf = () => ({ job: 100, account: 1000 })
const DAY_MS = 86_400_000

interface At {
  db: Db
  client: pg.PoolClient
  /** Of a run that is at work. */
  attempt: AttemptRef
}

/** What a process of Nightshift asks the store for again and again, or while a person waits. More pages than `MOST_PAGES` need a reason. */
const CALLS: Record<string, { call: (at: At) => Promise<unknown>; pages?: number; because?: string }> = {
  loadHistory: { call: ({ db }) => history.loadHistory(db, OVER, 1) },
  loadTexts: { call: ({ db }) => history.loadTexts(db, OVER, 1) },
  loadOpenResponse: { call: ({ db }) => history.loadOpenResponse(db, OVER, 1) },
  lastTurnNumber: { call: ({ db }) => history.lastTurnNumber(db, OVER) },
  loadSpent: { call: ({ db }) => history.loadSpent(db, OVER) },
  loadLastText: { call: ({ db }) => history.loadLastText(db, OVER, 1) },
  insertRunAccount: { call: ({ db, attempt }) => insertRunAccount(db, attempt, { accountId: 'new', account: 'a', expiresAt: hour.to }) },
  countRunsHolding: {
    call: ({ db }) => countRunsHolding(db, 'account0', hour.to),
    pages: 3000,
    because: 'runs of one account that are not over, each with its attempt',
  },
  matchByRequestId: {
    call: ({ db }) => matchByRequestId(db, hour.from),
    pages: 2000,
    because: 'lines of the last hour, each with its request',
  },
  insertEvents: { call: ({ db }) => insertEvents(db, [EVENT]) },
  loadPosition: { call: ({ db }) => loadPosition(db, 'file') },
  loadEvents: { call: ({ db }) => evidence.loadEvents(db, OVER) },
  loadDefinitions: { call: ({ db }) => evidence.loadDefinitions(db, OVER) },
  listPruned: { call: ({ db }) => evidence.listPruned(db, [OVER, QUEUED]) },
  explainExpected: { call: ({ db }) => explainExpected(db, [], []), pages: 2000, because: 'all lines that nothing explains yet' },
  listUnexplainedRuns: { call: ({ db }) => listUnexplainedRuns(db, { since: hour.from, after: '', limit: 10 }) },
  loadHostedRuns: { call: ({ db }) => loadHostedRuns(db, { since: hour.from, runIds: [OVER] }) },
  explainEvents: { call: ({ db }) => explainEvents(db, [{ eventId: '1', matchedBy: 'account', runId: OVER, toolCallId: null }]) },
  listUnsentAlarms: { call: ({ db }) => suspects.listUnsentAlarms(db) },
  putOffAlarm: { call: ({ db }) => suspects.putOffAlarm(db, randomUUID(), 1000) },
  badRowStats: { call: ({ db }) => badRowStats(db) },
  forgetBadRows: { call: ({ db }) => forgetBadRows(db) },
  markAlarmSent: { call: ({ db }) => suspects.markAlarmSent(db, randomUUID()) },
  raiseSuspect: {
    call: ({ db }) =>
      suspects.raiseSuspect(
        db,
        { accountId: 'x', account: null, events: ['1'] },
        {
          id: randomUUID(),
          body: {
            specversion: '1.0',
            id: 'x',
            source: 'x',
            type: 'x',
            subject: 'x',
            time: hour.to.toISOString(),
            datacontenttype: 'application/json',
            data: {},
          },
        },
      ),
  },
  acknowledgeSuspect: { call: ({ db }) => suspects.acknowledgeSuspect(db, { account: 'x', by: 'ann', reason: 'known' }) },
  listSuspects: { call: ({ db }) => suspects.listSuspects(db) },
  listUnexplained: {
    call: ({ db }) => listUnexplained(db, [{ accountId: 'account0', account: 'account0' }], { until: hour.to }),
    pages: 60_000,
    because: 'all lines that nothing explains yet, each held against requests under way',
  },
  previousDigest: { call: ({ db }) => deliveries.previousDigest(db, 'job19', runId(RUNS)) },
  takeDueDeliveries: {
    call: ({ db }) => deliveries.takeDueDeliveries(db, { limit: 20, perPlace: 4, busy: new Map(), leaseMs: 1000 }),
    pages: 2000,
    because: 'all reports that are due, to be fair to each place',
  },
  putOffDeliveries: {
    call: ({ db }) => deliveries.putOffDeliveries(db, '{"kind":"webhook","name":"other"}', 1000),
    pages: 2000,
    because: 'all reports that wait',
  },
  endDeliveryTry: { call: ({ db }) => deliveries.endDeliveryTry(db, randomUUID(), { status: 'delivered' }) },
  listDeliveries: { call: ({ db }) => deliveries.listDeliveries(db, OVER) },
  prune: {
    call: ({ db }) => prune(db, { content: { succeeded: 3650 * DAY_MS }, metadata: { failed: 3650 * DAY_MS }, log: 3650 * DAY_MS }),
  },
  openAttempt: { call: ({ db }) => openAttempt(db, QUEUED, { worker: 'one', queueJobId: 'q', leaseMs: 60_000, concurrencyOf }) },
  finishRun: { call: ({ db, attempt }) => finishRun(db, attempt, end) },
  loadUnclaimedRun: { call: ({ db }) => loadUnclaimedRun(db, QUEUED) },
  finishUnclaimedRun: { call: ({ db }) => finishUnclaimedRun(db, QUEUED, end) },
  heartbeat: { call: ({ db, attempt }) => heartbeat(db, 'one', [{ runId: attempt.runId, queueJobId: 'q' }]) },
  requestCancel: { call: ({ db }) => requestCancel(db, OVER) },
  cancelRequested: { call: ({ db }) => cancelRequested(db, [OVER, QUEUED]) },
  lockLimits: { call: ({ client }) => lockLimits(client, { account: 'account0', job: JOB }) },
  fullLimit: { call: ({ client }) => fullLimit(client, { id: QUEUED, job: JOB, account: 'account3' }, { job: 1, account: 1 }) },
  hold: { call: ({ db }) => hold(db, QUEUED, { by: 'job other', obstacle: null }) },
  releaseNext: { call: ({ db }) => releaseNext(db, { account: 'account3', job: JOB }) },
  releaseUnpaused: { call: ({ db }) => releaseUnpaused(db), pages: 3000, because: 'all runs that are held, each with what is in its way' },
  releaseIntoSlots: {
    call: ({ db }) => releaseIntoSlots(db, () => ({ job: 2, account: 2 })),
    pages: 3000,
    because: 'all runs that are held or at work',
  },
  insertRunOnce: { call: ({ db }) => insertRunOnce(db, newRun(), {}, key) },
  loadKey: { call: ({ db }) => loadKey(db, key) },
  forgetOldKeys: { call: ({ db }) => forgetOldKeys(db) },
  insertRun: { call: ({ db }) => insertRun(db, newRun(), {}) },
  listRuns: {
    async call({ db }) {
      const page = { limit: 50 }
      await listRuns(db, {}, page)
      await listRuns(db, {}, { ...page, before: OVER })
      await listRuns(db, { job: JOB, status: ['failed'] }, page)
      await listRuns(db, { status: ['waiting'] }, page)
      await listRuns(db, { status: ['failed', 'incomplete'] }, page)
      await listRuns(db, { requestedBy: 'ann' }, page)
      await listRuns(db, { ids: [OVER] }, page)
    },
  },
  countQueued: { call: ({ db }) => countQueued(db) },
  groupRuns: { call: ({ db }) => groupRuns(db, { job: JOB }, ['waiting']) },
  retryRuns: { call: ({ db }) => retryRuns(db, { ids: [runId(10)] }, []) },
  loadRun: { call: ({ db }) => loadRun(db, OVER) },
  loadStatus: { call: ({ db }) => loadStatus(db, OVER) },
  loadRunStates: { call: ({ db }) => loadRunStates(db, [OVER]) },
  latestId: { call: ({ db }) => latestId(db) },
  findIds: { call: ({ db }) => findIds(db, OVER.slice(-5), 10) },
  suspendRun: {
    call: ({ db, attempt }) => suspendRun(db, attempt, { status: 'queued', failure: null, nextAttemptAt: null, attemptStatus: 'failed' }),
  },
  hasEnded: { call: ({ db, attempt }) => hasEnded(db, attempt, 'failed') },
  listWakeable: {
    call: ({ db }) => listWakeable(db, { olderThanMs: 0, leaseMs: 0 }),
    pages: 6000,
    because: 'up to a thousand runs, each with what is in its way',
  },
  recordFires: {
    call: ({ db }) =>
      schedules.recordFires(db, {
        schedule: { job: JOB, cron: '* * * * *', timezone: 'UTC' },
        fires: [{ decision: { at: new Date(Date.now() + DAY_MS), verdict: 'run', madeUp: false }, run: newRun() }],
        overlap: 'queue',
        definition: {},
        until: hour.to,
      }),
  },
  listFires: { call: ({ db }) => schedules.listFires(db, JOB) },
  lastFires: { call: ({ db }) => schedules.lastFires(db) },
  firesWithRuns: { call: ({ db }) => schedules.firesWithRuns(db, JOB, hour.from, hour.to) },
  backfillFires: { call: ({ db }) => schedules.backfillFires(db, [{ at: hour.from, run: newRun() }], {}) },
  loadLastGreen: {
    call: ({ db }) => loadLastGreen(db, JOB, hour.to),
    pages: 3000,
    because: 'the green runs of one job, and only of a job whose period is since-last-green',
  },
  pauseJob: { call: ({ db }) => pauseJob(db, { job: JOB, reason: 'later', pausedBy: 'ann' }) },
  liftPause: { call: ({ db }) => liftPause(db, JOB) },
  listPauses: { call: ({ db }) => listPauses(db) },
  syncSchedule: { call: ({ db }) => syncSchedule(db, { job: JOB, cron: '* * * * *', timezone: 'UTC' }, hour.to) },
  noteScheduler: { call: ({ db }) => noteScheduler(db) },
  seeSchedules: { call: ({ db }) => seeSchedules(db, [{ job: JOB, cron: '* * * * *', timezone: 'UTC' }]) },
  queueStats: { call: ({ db }) => queueStats(db), pages: 2000, because: 'all runs that are not over' },
  suspectStats: { call: ({ db }) => suspectStats(db) },
  listWaiting: { call: ({ db }) => listWaiting(db) },
  tryStartPoll: { call: ({ db }) => tryStartPoll(db, 'account0', 1000) },
  resumeWaiting: { call: ({ db }) => resumeWaiting(db, 'account1', ['s9']) },
}

/** Asked for by a person who can wait, or once a day: read as much as there is. */
const READS_ALL = [
  'accountUse',
  'addCheckpoint',
  'countEvents',
  'countLogFields',
  'countMissing',
  'countPrunable',
  'countRuns',
  'listUncheckpointed',
  'loadCheckpoints',
]

const planSchema = z.tuple([
  z.object({
    'QUERY PLAN': z.tuple([z.object({ Plan: z.looseObject({ 'Shared Hit Blocks': z.number(), 'Shared Read Blocks': z.number() }) })]),
  }),
])

let database: TestDatabase
let pool: Db
beforeAll(async () => {
  database = await createTestDatabase()
  pool = openDb({ url: database.url, max: 1, timeouts: { statementMs: 120_000 } })
  await fillStore(pool)
}, 600_000)
afterAll(async () => {
  await pool.end()
  await database[Symbol.asyncDispose]()
})

interface Touched {
  pages: number
  text: string
}

/** Runs `work` in a transaction that is undone, and explains each statement before it is run. */
async function explained(work: (at: At) => Promise<unknown>): Promise<Touched[]> {
  const touched: Touched[] = []
  const client = await pool.connect()
  const ask = async (statement: string | pg.QueryConfig, parameters: unknown[] = []) => {
    const { text, values = parameters, types } = typeof statement === 'string' ? { text: statement } : statement
    if (/^\s*(begin|commit|rollback)/i.test(text)) return { rows: [], rowCount: 0 }
    if (/^[\s(]*(select|with|insert|update|delete)/i.test(text)) {
      await client.query('savepoint explaining')
      const { rows } = await client.query(`explain (analyze, buffers, timing off, format json) ${text}`, values)
      await client.query('rollback to savepoint explaining')
      const [row] = planSchema.parse(rows)
      const { 'Shared Hit Blocks': hit, 'Shared Read Blocks': read } = row['QUERY PLAN'][0].Plan
      touched.push({ pages: hit + read, text })
    }
    return client.query({ text, values, ...(types && { types }) })
  }
  const through = <T extends object>(target: T, instead: Record<string, unknown>): T =>
    new Proxy(target, {
      get: (_, name) => (typeof name === 'string' && name in instead ? instead[name] : Reflect.get(target, name, target)),
    })
  const session = through(client, { query: ask, release: () => {}, on: () => {}, off: () => {} })
  const db = through(pool, { query: ask, connect: async () => session })
  try {
    await client.query('begin')
    const [attempt] = await query<AttemptRef & { number: number }>(
      client,
      'select run_id as "runId", number, token from attempts where finished_at is null limit 1',
    )
    if (!attempt) throw new Error('no attempt is open')
    await work({ db, client: session, attempt })
  } finally {
    await client.query('rollback')
    client.release()
  }
  return touched
}

test.each(Object.entries(CALLS))('%s touches few pages of a large store', async (_, { call, pages = MOST_PAGES }) => {
  const touched = await explained(call)
  expect(touched.length).toBeGreaterThan(0)
  expect(touched.filter((one) => one.pages > pages)).toEqual([])
})

test('every question that the store answers is asked here', () => {
  const root = join(import.meta.dirname, '../../src/store')
  const asked = globSync('**/*.ts', { cwd: root })
    .filter((file) => !file.startsWith('postgres/'))
    .flatMap((file) =>
      [...readFileSync(join(root, file), 'utf8').matchAll(/export async function (\w+)\(\s*(?:db|client): /g)].map(
        ([, name]) => name ?? '',
      ),
    )
  expect(asked.length).toBeGreaterThan(50)
  expect(asked.toSorted()).toEqual([...Object.keys(CALLS), ...READS_ALL].toSorted())
})
