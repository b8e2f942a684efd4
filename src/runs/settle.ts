import type { Wake } from '../core/ports/wake.ts'
import type { Logger } from 'pino'
import { asUsedUp, describeFailure, Failure, redactFailure, type FailureRecord } from '../core/failure.ts'
import type { FailureCode } from '../core/failure-codes.ts'
import { cutBytes } from '../lib/text.ts'
import { durationMs } from '../lib/duration.ts'
import { decideRetry, type RetryPolicy } from '../core/rules/retry.ts'
import { withUnreported } from '../core/rules/join/unreported.ts'
import { waitAfter } from '../core/rules/consent-wait.ts'
import { noUsage } from '../core/run.ts'
import type { JobDefinition } from '../jobs/schema.ts'
import type { DelegateResult } from '../models/model.ts'
import type { OpenedAttempt } from '../store/runs/claim.ts'
import type { Db } from '../store/postgres/db.ts'
import { countEarlierUnreported } from '../store/audit/join/unreported.ts'
import { loadLastText, loadSpent } from '../store/attempts/history.ts'
import { holdName, releaseNext, type ConcurrencyOf } from '../store/runs/holds.ts'
import { finishRun, finishUnclaimedRun, type RunEnd, type UnclaimedRun } from '../store/runs/finish.ts'
import { suspendRun } from '../store/runs/suspend.ts'
import { deliveriesOf, endWithAnswer, endWithFailure } from './result.ts'
import type { Execution } from './attempt/execution.ts'
import type { OnProgress } from './progress.ts'

export interface SettleOptions {
  db: Db
  redact: (text: string) => string
  concurrencyOf: ConcurrencyOf | undefined
  onProgress: OnProgress
}

/** The attempt that is to be settled. */
export interface Settled {
  opened: OpenedAttempt
  /** Undefined when this version cannot read it. */
  definition: JobDefinition | undefined
  log: Logger
}

/** Writes what came of an attempt, and says what follows for the queue. */
export function createSettler({ db, redact, concurrencyOf, onProgress }: SettleOptions) {
  /** Releases the next held run, now that this one has freed its slot. */
  async function release({ opened: { job, account }, definition }: Settled): Promise<Wake[]> {
    const limits = concurrencyOf?.(job, account, definition?.concurrency)
    if (limits?.job === undefined && limits?.account === undefined) return []
    return releaseNext(db, { account, job })
  }

  /** This run may have been released for its account's free slot, but something else holds it: gives the slot to the next run. */
  async function releaseAccountSlot({ by, account }: { by: string; account: string }): Promise<Wake[]> {
    if (by === holdName('account', account) || concurrencyOf?.('', account, undefined).account === undefined) return []
    return releaseNext(db, { account })
  }

  async function finish(one: Settled, given: RunEnd, failure?: Failure): Promise<Execution> {
    const { opened, definition, log } = one
    const { runId } = opened.attempt
    const end = await withEarlierUnreported(one, given)
    const deliveries = await deliveriesOf(db, { id: runId, job: opened.job }, definition, end)
    const { stillOwned, next } = await finishRun(db, opened.attempt, { ...end, deliveries })
    if (!stillOwned) return lost(log)
    log.info({ status: end.status, reasons: end.reasons.map(({ code }) => code) }, 'Run finished.')
    onProgress({ runId, job: opened.job, event: 'finished', status: end.status, tags: opened.tags, costUsd: end.costUsd })
    return { kind: 'finished', status: end.status, failure, next: [...next, ...(await release(one))] }
  }

  /** What its provider did not report before a retry stands against a run for good. */
  async function withEarlierUnreported({ opened }: Settled, end: RunEnd): Promise<RunEnd> {
    if (opened.conversation === 1) return end
    return { ...end, ...withUnreported(end, await countEarlierUnreported(db, opened.attempt.runId)) }
  }

  function lost(log: Logger): Execution {
    log.warn('Another worker took the run over; this one stopped.')
    return { kind: 'lost' }
  }

  async function succeed(one: Settled & { definition: JobDefinition }, result: DelegateResult): Promise<Execution> {
    const end = endWithAnswer(result, one.definition)
    return finish(one, await withSpent(one, end))
  }

  /** The usage of a retried run includes its earlier conversations. */
  async function withSpent({ opened }: Settled, end: RunEnd): Promise<RunEnd> {
    return opened.conversation === 1 ? end : { ...end, ...(await loadSpent(db, opened.attempt.runId)) }
  }

  async function fail(one: Settled, failure: Failure): Promise<Execution> {
    const { opened, definition, log } = one
    const { runId } = opened.attempt
    const record = redactFailure(failure.toJSON(), redact)
    const { code, requestId, server } = record
    const tries = countOf(opened, failure) + 1
    const decision = decideRetry(failure, tries, definition ? policyOf(definition) : ONCE)
    const shown = decision.verdict === 'stop' && failure.retry !== 'never' ? asUsedUp(record, tries, runId) : record
    log.warn({ code, requestId, server, reason: describeFailure(shown) }, 'Attempt failed.')
    if (code === 'INTERNAL_ERROR')
      log.error({ stack: redact(failure.cause instanceof Error ? (failure.cause.stack ?? '') : '') }, 'A fault of Nightshift itself.')
    switch (decision.verdict) {
      case 'retry': {
        const attemptStatus = code === 'WORKER_LOST' ? ('lost' as const) : ('failed' as const)
        const again = await suspendRun(db, opened.attempt, { status: 'queued', failure: record, waitMs: decision.waitMs, attemptStatus })
        if (!again) return lost(log)
        const at = again.at ?? new Date()
        onProgress({ runId, job: opened.job, event: 'retry', at, failure: record })
        return { kind: 'retry', at, inMs: again.inMs, failure, next: [again, ...(await release(one))] }
      }
      case 'wait': {
        const waitsFor = waitAfter(record, opened.account, Object.keys(definition?.tools ?? {}))
        if (!waitsFor) return stop(one, record, failure)
        const again = await suspendRun(db, opened.attempt, { status: 'waiting', failure: record, waitsFor })
        if (!again) return lost(log)
        onProgress({ runId, job: opened.job, event: 'waiting', failure: record })
        return {
          kind: 'waiting',
          failure,
          next: [...(again.status === 'queued' ? [again] : []), ...(await release(one))],
        }
      }
      case 'stop':
        return stop(one, shown, failure)
    }
  }

  async function stop(one: Settled, shown: FailureRecord, failure: Failure): Promise<Execution> {
    // A failed run also has the usage of its turns.
    return finish(one, endWithFailure(shown, await loadSpent(db, one.opened.attempt.runId), await lastText(one, shown.code)), failure)
  }

  /** What a run had when its deadline came is kept and delivered, as not green. */
  async function lastText({ opened, definition }: Settled, code: FailureCode): Promise<string | undefined> {
    if (code !== 'DEADLINE' || !definition) return undefined
    const text = await loadLastText(db, opened.attempt.runId, opened.conversation)
    return text === undefined ? undefined : cutBytes(text, definition.limits.outputBytes).text
  }

  /** A queued run that nobody took in time. */
  async function expire(run: UnclaimedRun, definition: JobDefinition | undefined, at: Date): Promise<Execution> {
    const failure = new Failure({ code: 'EXPIRED', message: `The run was to start before ${at.toISOString()}.` })
    const end = endWithFailure(failure.toJSON(), { usage: noUsage, costUsd: null })
    const deliveries = await deliveriesOf(db, run, definition, end)
    if (!(await finishUnclaimedRun(db, run.id, { ...end, deliveries }, null))) return { kind: 'nothing' }
    onProgress({ runId: run.id, job: run.job, event: 'finished', status: 'failed', tags: run.tags, costUsd: null })
    return { kind: 'finished', status: 'failed', failure, next: await releaseAccountSlot({ by: 'time', account: run.account }) }
  }

  return { succeed, fail, expire, releaseAccountSlot }
}

/** Earlier attempts that ended for the same reason. Waiting for a person costs no attempt, and neither does a worker that died or cannot do the run. */
function countOf({ lost, unfit, waited, failed }: OpenedAttempt, { code, retry }: Failure): number {
  if (retry === 'after-connection') return waited
  return code === 'WORKER_LOST' ? lost : code === 'WORKER_UNFIT' ? unfit : failed
}

/** For a job that cannot be read. */
const ONCE: RetryPolicy = { attempts: 1, backoffMs: 0 }

/** How often a run of this job is tried. */
export const policyOf = ({ retry }: JobDefinition): RetryPolicy => ({ attempts: retry.attempts, backoffMs: durationMs(retry.backoff) })
