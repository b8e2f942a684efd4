import { listActs } from '../../../src/store/acts/list.ts'
import { loadLines, loadRunRows } from '../../../src/store/audit/signed-rows.ts'
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { noUsage, type AttemptRef } from '../../../src/core/run.ts'
import * as history from '../../../src/store/attempts/history.ts'
import * as accountEnds from '../../../src/store/attempts/account-ends.ts'
import { noteStalled } from '../../../src/store/attempts/stalled.ts'
import { insertRunAccount } from '../../../src/store/attempts/run-accounts.ts'
import { countRunsHolding } from '../../../src/store/audit/accounts.ts'
import { matchByRequestId } from '../../../src/store/audit/join/by-request-id.ts'
import { insertEvents, loadPosition } from '../../../src/store/audit/events.ts'
import { insertGap, listGaps } from '../../../src/store/audit/log-gaps.ts'
import * as evidence from '../../../src/store/audit/evidence.ts'
import { explainExpected } from '../../../src/store/audit/join/expected.ts'
import { explainEvents, listUnexplainedRuns, loadHostedRuns } from '../../../src/store/audit/join/hosted.ts'
import * as unreported from '../../../src/store/audit/join/unreported.ts'
import { loadGoingOn } from '../../../src/store/attempts/going-on.ts'
import { explainServed } from '../../../src/store/audit/join/served.ts'
import { countLinesBelow } from '../../../src/store/audit/signed-rows.ts'
import { countLineless, raiseSilence } from '../../../src/store/audit/lineless.ts'
import { gatewayClock } from '../../../src/store/audit/join/clock.ts'
import { listFlights } from '../../../src/store/audit/join/flights.ts'
import { setForeignAside, takeOursBack } from '../../../src/store/audit/join/foreign.ts'
import * as suspects from '../../../src/store/audit/suspects.ts'
import { listOpenEvents } from '../../../src/store/audit/join/unexplained.ts'
import * as deliveries from '../../../src/store/delivery/deliveries.ts'
import { listSpentOfDay } from '../../../src/store/attempts/budgets.ts'
import { SPENT_BY, spentBy } from '../../../src/store/attempts/spend.ts'
import { isOfActs, listUsedNames } from '../../../src/store/names.ts'
import { badRowStats, forgetBadRows, noteBadRow } from '../../../src/store/bad-rows.ts'
import { lastTokenUses, noteTokenUse } from '../../../src/store/api-tokens.ts'
import { forgetProcess, listDuties, listProcesses, noteProcess } from '../../../src/store/processes.ts'
import * as contents from '../../../src/store/contents.ts'
import { prune } from '../../../src/store/retention.ts'
import { removeVersions } from '../../../src/store/versions.ts'
import { finishRun, finishUnclaimedRun, loadUnclaimedRun, type RunEnd } from '../../../src/store/runs/finish.ts'
import { cancelRequested, heartbeat, requestCancel } from '../../../src/store/runs/heartbeat.ts'
import { fullLimit, hold, lockLimits, releaseIntoSlots, releaseNext, releaseUnpaused } from '../../../src/store/runs/holds.ts'
import { forgetOldKeys, insertRunsOnce, loadKeys } from '../../../src/store/runs/idempotency.ts'
import { insertRuns } from '../../../src/store/runs/insert.ts'
import { countQueued, groupRuns, listRuns } from '../../../src/store/runs/list.ts'
import { retryRuns } from '../../../src/store/runs/retry.ts'
import { findIds, latestId, loadRun, loadRunStates, loadStatus } from '../../../src/store/runs/show.ts'
import { hasEnded, suspendRun } from '../../../src/store/runs/suspend.ts'
import { listWakeable } from '../../../src/store/runs/wakeable.ts'
import { openAttempt } from '../../../src/store/runs/claim.ts'
import * as schedules from '../../../src/store/schedules/fires.ts'
import { loadLastGreen } from '../../../src/store/schedules/last-green.ts'
import { liftPause, listPauses, pauseJob } from '../../../src/store/schedules/pauses.ts'
import { noteScheduler, seeSchedules, syncSchedule } from '../../../src/store/schedules/progress.ts'
import { countStandingAlarms, listProgress, listStandingReports, listStandingRuns } from '../../../src/store/standing.ts'
import { alarmStats, suspectStats } from '../../../src/store/stats.ts'
import * as status from '../../../src/store/status.ts'
import { listWaiting, resumeWaiting, tryStartPoll } from '../../../src/store/waiting/waiting.ts'
import type { Db } from '../../../src/store/postgres/db.ts'
import { runId } from './large-store.ts'
import { someone } from '../actor.ts'

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

/** What a question is asked with. */
export interface At {
  db: Db
  client: pg.PoolClient
  /** Of a run that is at work. */
  attempt: AttemptRef
}

/** A question to the store, and the most pages of 8 KB that one of its statements may touch. More than `MOST_PAGES` need a reason. */
export interface StoreCall {
  call: (at: At) => Promise<unknown>
  pages?: number
  because?: string
}

/** Far below what a walk through any of the large tables takes. */
export const MOST_PAGES = 400
const EVENT_BODY = {
  specversion: '1.0' as const,
  id: 'x',
  source: 'x',
  type: 'x',
  subject: 'x',
  time: hour.to.toISOString(),
  datacontenttype: 'application/json' as const,
  data: {},
}
const SPAN = { since: hour.from, until: hour.to, thorough: true }
const BATCHES = { pages: 5000, because: 'up to 2000 rows that are removed, each on pages of its own' }

/** What a process of Nightshift asks a store of so many runs for again and again, or while a person waits. */
export function storeCalls(runs: number): Record<string, StoreCall> {
  const over = runId(runs / 2)
  const queued = runId(runs - 10)
  return {
    touchContent: { call: ({ db }) => contents.touchContent(db, 'none') },
    insertContent: {
      call: ({ db }) =>
        contents.insertContent(db, { digest: 'new', bytes: 3, mediaType: 'text/plain', encoding: 'identity', content: Buffer.from('new') }),
    },
    findResult: { call: ({ db }) => contents.findResult(db, over, 1, 0) },
    findContent: { call: ({ db }) => contents.findContent(db, over, 'abcdef01') },
    loadContent: { call: ({ db }) => contents.loadContent(db, 'none') },
    loadHistory: { call: ({ db }) => history.loadHistory(db, over, 1) },
    loadTexts: { call: ({ db }) => history.loadTexts(db, over, 1) },
    loadUnseen: { call: ({ db }) => history.loadUnseen(db, over, 1) },
    loadLostCalls: { call: ({ db }) => history.loadLostCalls(db, over, 1) },
    loadOpenResponse: { call: ({ db }) => history.loadOpenResponse(db, over, 1) },
    lastTurnNumber: { call: ({ db }) => history.lastTurnNumber(db, over) },
    loadSpent: { call: ({ db }) => history.loadSpent(db, over) },
    loadLastText: { call: ({ db }) => history.loadLastText(db, over, 1) },
    askForAccount: { call: ({ db, attempt }) => accountEnds.askForAccount(db, attempt, hour.to) },
    accountEnded: { call: ({ db, attempt }) => accountEnds.accountEnded(db, attempt) },
    takeRunsToEnd: { call: ({ db }) => accountEnds.takeRunsToEnd(db, { limit: 20, leaseMs: 1000 }) },
    runAccountsEnded: { call: ({ db }) => accountEnds.runAccountsEnded(db, over) },
    insertRunAccount: { call: ({ db, attempt }) => insertRunAccount(db, attempt, { accountId: 'new', account: 'a', expiresAt: hour.to }) },
    countRunsHolding: {
      call: ({ db }) => countRunsHolding(db, 'account0', hour.to),
      pages: 3000,
      because: 'runs of one account that are not over, each with its attempt',
    },
    matchByRequestId: {
      call: ({ db }) => matchByRequestId(db, { since: hour.from, thorough: true }),
      pages: 2000,
      because: 'lines of the last hour, each with its request',
    },
    insertEvents: { call: ({ db }) => insertEvents(db, [EVENT]) },
    countLineless: { call: ({ db }) => countLineless(db, 1000), pages: 2000, because: 'requests of the last hour' },
    raiseSilence: { call: ({ db }) => raiseSilence(db, (id) => ({ ...EVENT_BODY, id })) },
    alarmStats: { call: ({ db }) => alarmStats(db) },
    insertGap: { call: ({ db }) => insertGap(db, { file: 'file', from: hour.from, until: hour.to }) },
    listGaps: { call: ({ db }) => listGaps(db, hour.from) },
    loadPosition: { call: ({ db }) => loadPosition(db, 'file') },
    loadEvents: { call: ({ db }) => evidence.loadEvents(db, over) },
    loadDefinitions: { call: ({ db }) => evidence.loadDefinitions(db, over) },
    loadCheckpointLists: { call: ({ db }) => evidence.loadCheckpointLists(db, 1) },
    loadLines: { call: ({ db }) => loadLines(db, { after: 0, to: 1000 }) },
    loadRunRows: { call: ({ db }) => loadRunRows(db, [over, queued]) },
    storeNow: { call: ({ db }) => evidence.storeNow(db) },
    newestCheckpoint: { call: ({ db }) => evidence.newestCheckpoint(db) },
    listRemoved: { call: ({ db }) => evidence.listRemoved(db, [over, queued]) },
    explainExpected: { call: ({ db }) => explainExpected(db, [], [], SPAN), pages: 2000, because: 'all lines that nothing explains yet' },
    explainServed: { call: ({ db }) => explainServed(db, SPAN) },
    countLinesBelow: { call: ({ db }) => countLinesBelow(db) },
    listUnexplainedRuns: { call: ({ db }) => listUnexplainedRuns(db, SPAN, { after: '', limit: 10 }) },
    loadHostedRuns: { call: ({ db }) => loadHostedRuns(db, SPAN, [over]) },
    listUntold: { call: ({ db }) => unreported.listUntold(db, { after: '', limit: 10 }) },
    loadUntold: { call: ({ db }) => unreported.loadUntold(db, [over]) },
    tellUnreported: {
      call: ({ db }) =>
        unreported.tellUnreported(
          db,
          { id: over, conversation: 1, found: { lines: 1, calls: 1 } },
          { status: 'incomplete', reasons: [] },
          undefined,
        ),
    },
    countEarlierUnreported: { call: ({ db }) => unreported.countEarlierUnreported(db, over) },
    loadGoingOn: { call: ({ db }) => loadGoingOn(db, over) },
    explainEvents: { call: ({ db }) => explainEvents(db, [{ eventId: '1', matchedBy: 'account', runId: over, toolCallId: null }]) },
    listUnsentAlarms: { call: ({ db }) => suspects.listUnsentAlarms(db) },
    putOffAlarm: { call: ({ db }) => suspects.putOffAlarm(db, randomUUID(), { ms: 1000, refused: undefined }) },
    badRowStats: { call: ({ db }) => badRowStats(db) },
    noteBadRow: { call: ({ db }) => noteBadRow(db, { duty: 'match', rowKey: 'x', reason: 'odd' }) },
    forgetBadRows: { call: ({ db }) => forgetBadRows(db), ...BATCHES },
    noteTokenUse: { call: ({ db }) => noteTokenUse(db, 'f'.repeat(64)) },
    lastTokenUses: { call: ({ db }) => lastTokenUses(db, ['f'.repeat(64)]) },
    noteProcess: {
      async call({ db }) {
        const duty = { duty: 'sweep', everyMs: 5000, startedAgoMs: 0, succeededAgoMs: 0, failedAgoMs: 0, reason: 'odd' }
        for (let i = 0; i < 2; i++)
          await noteProcess(db, { name: 'one', role: 'all', version: '1', slots: 4 }, { duties: [duty], skewMs: 0, config: null })
      },
    },
    listActs: {
      async call({ db }) {
        await listActs(db, { jobs: [JOB] }, { limit: 50 })
        for (const filter of [{ job: JOB }, { run: over }, { by: 'nobody' }]) await listActs(db, filter, { limit: 50 })
      },
    },
    spentBy: {
      async call({ db }) {
        for (const by of SPENT_BY) await spentBy(db, by, { since: new Date(Date.now() - 7 * DAY_MS), until: hour.to })
      },
      pages: 40_000,
      because: 'runs of a week and those that are not over, each with its turns and the answers that were not seen',
    },
    listSpentOfDay: { call: ({ db }) => listSpentOfDay(db, [{ scope: 'job', name: JOB }], '2026-11-28') },
    isOfActs: {
      async call({ db }) {
        for (const name of [{ job: JOB }, { job: 'none' }, { by: 'nobody' }]) await isOfActs(db, name)
      },
    },
    listUsedNames: { call: ({ db }) => listUsedNames(db) },
    listProcesses: { call: ({ db }) => listProcesses(db) },
    listDuties: { call: ({ db }) => listDuties(db) },
    forgetProcess: { call: ({ db }) => forgetProcess(db, 'one') },
    markAlarmSent: { call: ({ db }) => suspects.markAlarmSent(db, randomUUID()) },
    raiseSuspect: {
      call: ({ db }) =>
        suspects.raiseSuspect(
          db,
          { accountId: 'x', account: null, events: ['1'] },
          {
            id: randomUUID(),
            body: EVENT_BODY,
          },
        ),
    },
    acknowledgeSuspect: { call: ({ db }) => suspects.acknowledgeSuspect(db, { account: 'x', by: 'ann', reason: 'known' }) },
    listSuspects: { call: ({ db }) => suspects.listSuspects(db) },
    listOpenEvents: {
      call: ({ db }) => listOpenEvents(db, [{ accountId: 'account0', account: 'account0' }], { until: hour.to, limit: 100 }),
      pages: 60_000,
      because: 'all lines that nothing explains yet',
    },
    listFlights: { call: ({ db }) => listFlights(db, ['account0']) },
    gatewayClock: { call: ({ db }) => gatewayClock(db), pages: 1000, because: 'two hundred lines, each with its request' },
    setForeignAside: { call: ({ db }) => setForeignAside(db, [], hour.to), pages: 60_000, because: 'many lines at once' },
    takeOursBack: { call: ({ db }) => takeOursBack(db, []) },
    previousDigest: { call: ({ db }) => deliveries.previousDigest(db, 'job19', runId(runs)) },
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
    hastenDeliveries: { call: ({ db }) => deliveries.hastenDeliveries(db, '{"kind":"webhook","name":"other"}', 1000) },
    endDeliveryTry: { call: ({ db }) => deliveries.endDeliveryTry(db, randomUUID(), { status: 'delivered' }) },
    listDeliveries: { call: ({ db }) => deliveries.listDeliveries(db, over) },
    prune: {
      call: ({ db }) =>
        prune(db, { content: { succeeded: 3650 * DAY_MS }, metadata: { failed: 3650 * DAY_MS }, log: 3650 * DAY_MS, fires: 3650 * DAY_MS }),
      ...BATCHES,
    },
    removeVersions: {
      call: ({ db }) => removeVersions(db),
      pages: 5000,
      because: 'all versions, each looked for among runs and attempts',
    },
    openAttempt: { call: ({ db }) => openAttempt(db, queued, { worker: 'one', queueJobId: 'q', leaseMs: 60_000, concurrencyOf }) },
    noteStalled: {
      async call({ db, attempt }) {
        await noteStalled(db, [attempt], true)
        await noteStalled(db, [attempt], false)
      },
    },
    finishRun: { call: ({ db, attempt }) => finishRun(db, attempt, end) },
    loadUnclaimedRun: { call: ({ db }) => loadUnclaimedRun(db, queued) },
    finishUnclaimedRun: { call: ({ db }) => finishUnclaimedRun(db, queued, end, someone()) },
    heartbeat: { call: ({ db, attempt }) => heartbeat(db, 'one', [{ runId: attempt.runId, queueJobId: 'q' }]) },
    requestCancel: { call: ({ db }) => requestCancel(db, over, someone()) },
    cancelRequested: { call: ({ db }) => cancelRequested(db, [over, queued]) },
    lockLimits: { call: ({ client }) => lockLimits(client, { account: 'account0', job: JOB }) },
    fullLimit: { call: ({ client }) => fullLimit(client, { id: queued, job: JOB, account: 'account3' }, { job: 1, account: 1 }) },
    hold: { call: ({ db }) => hold(db, queued, { by: 'job other', obstacle: null }) },
    releaseNext: { call: ({ db }) => releaseNext(db, { account: 'account3', job: JOB }) },
    releaseUnpaused: {
      call: ({ db }) => releaseUnpaused(db),
      pages: 3000,
      because: 'all runs that are held, each with what is in its way',
    },
    releaseIntoSlots: {
      call: ({ db }) => releaseIntoSlots(db, () => ({ job: 2, account: 2 })),
      pages: 3000,
      because: 'all runs that are held or at work',
    },
    insertRunsOnce: {
      async call({ db }) {
        await loadKeys(db, [key])
        await insertRunsOnce(db, [{ run: newRun(), definition: {}, key }])
      },
    },
    forgetOldKeys: { call: ({ db }) => forgetOldKeys(db), ...BATCHES },
    insertRuns: { call: ({ db }) => insertRuns(db, [{ run: newRun(), definition: {} }]) },
    listRuns: {
      async call({ db }) {
        const page = { limit: 50 }
        await listRuns(db, {}, page)
        await listRuns(db, {}, { ...page, before: over })
        await listRuns(db, { job: JOB, status: ['failed'] }, page)
        await listRuns(db, { status: ['waiting'] }, page)
        await listRuns(db, { status: ['failed', 'incomplete'] }, page)
        await listRuns(db, { requestedBy: 'ann' }, page)
        await listRuns(db, { tags: { team: 'billing' } }, page)
        await listRuns(db, { ids: [over] }, page)
        await listRuns(db, { held: true }, page)
        await listRuns(db, { endedSince: hour.from, endedUntil: hour.to }, page)
        const weekAgo = Date.now() - 7 * DAY_MS
        await listRuns(db, { endedSince: new Date(weekAgo - 3_600_000), endedUntil: new Date(weekAgo) }, page)
        await listRuns(db, { endedUntil: new Date(Date.now() - 30 * DAY_MS) }, page)
      },
    },
    countQueued: { call: ({ db }) => countQueued(db) },
    groupRuns: {
      async call({ db }) {
        await groupRuns(db, { job: JOB }, ['waiting'])
        await groupRuns(db, { endedSince: hour.from })
      },
    },
    retryRuns: { call: ({ db }) => retryRuns(db, { ids: [runId(10)] }, [], someone()) },
    loadRun: { call: ({ db }) => loadRun(db, over) },
    loadStatus: { call: ({ db }) => loadStatus(db, over) },
    loadRunStates: { call: ({ db }) => loadRunStates(db, [over]) },
    latestId: { call: ({ db }) => latestId(db) },
    findIds: {
      async call({ db }) {
        for (let length = 4; length <= 8; length++) await findIds(db, over.slice(-length), 10)
      },
    },
    suspendRun: {
      call: ({ db, attempt }) => suspendRun(db, attempt, { status: 'queued', failure: null, waitMs: 0, attemptStatus: 'failed' }),
    },
    hasEnded: { call: ({ db, attempt }) => hasEnded(db, attempt, 'failed') },
    listWakeable: {
      call: ({ db }) => listWakeable(db, { olderThanMs: 0, lateMs: 0, leaseMs: 0 }),
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
    loadLastGreen: { call: ({ db }) => loadLastGreen(db, JOB, hour.to) },
    pauseJob: { call: ({ db }) => pauseJob(db, JOB, someone({ reason: 'later', name: 'ann' })) },
    liftPause: { call: ({ db }) => liftPause(db, JOB, someone()) },
    listPauses: { call: ({ db }) => listPauses(db) },
    syncSchedule: { call: ({ db }) => syncSchedule(db, { job: JOB, cron: '* * * * *', timezone: 'UTC' }, hour.to) },
    noteScheduler: { call: ({ db }) => noteScheduler(db) },
    seeSchedules: { call: ({ db }) => seeSchedules(db, [{ job: JOB, cron: '* * * * *', timezone: 'UTC' }]) },
    countOpen: {
      call: ({ db }) => status.countOpen(db, undefined),
      pages: 15_000,
      because: 'all runs that are not over, each with what keeps it from starting',
    },
    listUnderWay: { call: ({ db }) => status.listUnderWay(db, undefined, 20), pages: 2000, because: 'all attempts that are under way' },
    countEnded: { call: ({ db }) => status.countEnded(db, undefined), pages: 5000, because: 'up to five thousand runs that ended' },
    countPendingReports: { call: ({ db }) => status.countPendingReports(db), pages: 2000, because: 'up to ten thousand reports that wait' },
    listFailingReports: { call: ({ db }) => status.listFailingReports(db), pages: 2000, because: 'up to ten thousand reports that wait' },
    listStandingRuns: {
      call: ({ db }) => listStandingRuns(db, { dueMs: 0, heldMs: 0, runningMs: 0, waitingMs: 0 }),
      pages: 6000,
      because: 'up to a thousand runs of each kind, each with what is in its way',
    },
    listStandingReports: { call: ({ db }) => listStandingReports(db, 0), pages: 2000, because: 'up to two thousand reports' },
    countStandingAlarms: { call: ({ db }) => countStandingAlarms(db, 0) },
    listProgress: { call: ({ db }) => listProgress(db) },
    suspectStats: { call: ({ db }) => suspectStats(db) },
    listWaiting: { call: ({ db }) => listWaiting(db) },
    tryStartPoll: { call: ({ db }) => tryStartPoll(db, 'account0', 1000) },
    resumeWaiting: { call: ({ db }) => resumeWaiting(db, 'account1', ['s9'], someone()) },
  }
}
