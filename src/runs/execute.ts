import type { Logger } from 'pino'
import { durationMs } from '../core/duration.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { decideOutcome, distinctReasons } from '../core/outcome.ts'
import { decideRetry } from '../core/retry.ts'
import { noUsage, addUsage, type FinalStatus } from '../core/run.ts'
import { jobSchema, type JobDefinition } from '../jobs/schema.ts'
import type { PastTurn } from '../llm/turn.ts'
import { createBudget } from '../store/budgets.ts'
import type { Db } from '../store/db.ts'
import { lastTurnNumber, loadHistory, loadOpenResponse, type OpenResponse } from '../store/history.ts'
import type { JournalWriter } from '../store/journal.ts'
import { finishRun, openAttempt, pauseRun, requestCancel, type OpenedAttempt, type RunEnd } from '../store/runs.ts'
import { runAttempt } from './attempt.ts'
import { tellProgress, type OnProgress } from './progress.ts'
import type { Tools } from './tools.ts'

export interface RunnerOptions {
  db: Db
  journal: JournalWriter
  tools: Tools
  /** Name of this worker process, for the attempt's row. */
  worker: string
  /** A run whose worker was silent for this long may be taken over. */
  staleAfterMs: number
  log: Logger
  onProgress?: OnProgress | undefined
}

/** What came of one delivery of a run to a worker. */
export type Execution =
  | { kind: 'finished'; status: FinalStatus; failure: Failure | undefined; next: string[] }
  | { kind: 'retry'; at: Date; attempts: number; failure: Failure }
  | { kind: 'waiting'; failure: Failure }
  /** Its next attempt is not due yet. */
  | { kind: 'not-yet'; at: Date }
  /** Another worker holds it. */
  | { kind: 'busy' }
  /** Another worker took it over; nothing of this one counts. */
  | { kind: 'lost' }
  /** It is over already, or unknown. */
  | { kind: 'nothing' }

export interface Runner {
  /**
   * Opens the run's next attempt and does it. `delivery` names the queue job that brought it. Aborting `signal` with a `Failure` ends the
   * attempt for that reason.
   */
  execute(runId: string, delivery: string, signal: AbortSignal): Promise<Execution>
}

/** Makes the function that does runs. It needs no queue: a test or the CLI can call it. */
export function createRunner(options: RunnerOptions): Runner {
  const { db, journal, tools, worker } = options
  const definitions = new Map<string, JobDefinition>()

  function definitionOf(opened: OpenedAttempt): JobDefinition {
    let definition = definitions.get(opened.jobVersion)
    if (!definition) definitions.set(opened.jobVersion, (definition = jobSchema.parse(opened.definition)))
    return definition
  }

  async function execute(runId: string, delivery: string, signal: AbortSignal): Promise<Execution> {
    const claim = await openAttempt(db, runId, { worker, delivery, staleAfterMs: options.staleAfterMs })
    switch (claim.kind) {
      case 'opened':
        return attempt(claim.opened, signal)
      case 'not-yet':
        return claim
      case 'busy':
        return claim
      case 'cancel-requested':
        await requestCancel(db, runId)
        return { kind: 'nothing' }
      case 'not-runnable':
      case 'unknown':
        return { kind: 'nothing' }
    }
  }

  async function attempt(opened: OpenedAttempt, signal: AbortSignal): Promise<Execution> {
    const { runId, number } = opened.attempt
    const log = options.log.child({ runId, job: opened.job, attempt: number })
    const onProgress = options.onProgress ?? (() => {})
    const definition = definitionOf(opened)
    onProgress({ runId, event: 'attempt', number, account: definition.account, tookOver: opened.tookOver })
    log.info({ account: definition.account, tookOver: opened.tookOver }, 'Attempt started.')
    const deadlineMs = durationMs(definition.limits.deadline)
    const abort = abortAt(signal, deadlineMs)
    let history: PastTurn[] = []
    try {
      if (decideRetry(LOST, opened.lost, policyOf(definition), new Date()).verdict === 'stop')
        throw new Failure({ code: 'WORKER_LOST', retry: 'never', message: `${opened.lost} workers died with this run.`, cure: CURE_LOST })
      let open: OpenResponse | undefined
      if (opened.resumed) {
        history = await loadHistory(db, runId, opened.conversation)
        if (definition.delegate === 'hosted') open = await loadOpenResponse(db, runId, opened.conversation)
      }
      const nextTurn = number === 1 ? 1 : (await lastTurnNumber(db, runId)) + 1
      const written = journal.forAttempt(opened.attempt)
      const warn = (message: string) => log.warn(message)
      const ceilings = tools.ceilings(opened.job, definition.account)
      const result = await runAttempt(
        tools,
        {
          opened,
          definition,
          history,
          open,
          nextTurn,
          journal: options.onProgress ? tellProgress(written, runId, onProgress) : written,
          onProgress,
          budget: ceilings.length === 0 ? undefined : createBudget({ db, ceilings, warn }),
          warn,
          deadline: new Date(Date.now() + deadlineMs),
        },
        abort.signal,
      )
      if (result.notes.length > 0) log.warn({ notes: result.notes }, 'Something that the job may use is not there.')
      const reasons = distinctReasons(result.reasons)
      const { usage, costUsd, output, text } = result
      return await finish(
        opened,
        { status: decideOutcome(reasons), output, outputText: text ?? undefined, reasons, failure: null, usage, costUsd },
        undefined,
        log,
      )
    } catch (error) {
      return await fail(opened, definition, history, failureOf(error, abort.signal), log)
    } finally {
      abort.dispose()
    }
  }

  async function finish(opened: OpenedAttempt, end: RunEnd, failure: Failure | undefined, log: Logger): Promise<Execution> {
    const { held, next } = await finishRun(db, opened.attempt, end)
    if (!held) return lost(log)
    log.info({ status: end.status, reasons: end.reasons.map(({ code }) => code) }, 'Run finished.')
    options.onProgress?.({ runId: opened.attempt.runId, event: 'finished', status: end.status })
    return { kind: 'finished', status: end.status, failure, next }
  }

  function lost(log: Logger): Execution {
    log.warn('Another worker took the run over; this one stopped.')
    return { kind: 'lost' }
  }

  async function fail(
    opened: OpenedAttempt,
    definition: JobDefinition,
    history: readonly PastTurn[],
    failure: Failure,
    log: Logger,
  ): Promise<Execution> {
    const { runId } = opened.attempt
    const { redact } = tools.redactor
    const record = { ...failure.toJSON(), message: redact(failure.message) }
    const { code, requestId, server, message: reason } = record
    log.warn({ code, requestId, server, reason }, 'Attempt failed.')
    if (code === 'INTERNAL_ERROR')
      log.error({ stack: redact(failure.cause instanceof Error ? (failure.cause.stack ?? '') : '') }, 'A fault of Nightshift itself.')
    // Waiting for a person costs no attempt, and neither does the death of a worker.
    const before = code === 'WORKER_LOST' ? opened.lost : opened.failed
    const decision = decideRetry(failure, before + 1, policyOf(definition), new Date())
    switch (decision.verdict) {
      case 'retry': {
        const held = await pauseRun(db, opened.attempt, {
          status: 'queued',
          failure: record,
          nextAttemptAt: decision.at,
          attemptStatus: failure.code === 'WORKER_LOST' ? 'lost' : 'failed',
        })
        if (!held) return lost(log)
        options.onProgress?.({ runId, event: 'retry', at: decision.at, failure: record })
        return { kind: 'retry', at: decision.at, attempts: opened.attempt.number, failure }
      }
      case 'wait': {
        const held = await pauseRun(db, opened.attempt, {
          status: 'waiting',
          failure: record,
          nextAttemptAt: null,
          attemptStatus: 'waiting',
        })
        if (!held) return lost(log)
        options.onProgress?.({ runId, event: 'waiting', failure: record })
        return { kind: 'waiting', failure }
      }
      case 'stop': {
        const status = failure.code === 'CANCELLED' ? 'cancelled' : 'failed'
        // What earlier turns cost is known also when this attempt failed.
        const spent = await loadHistory(db, runId, opened.conversation).catch(() => history)
        const usage = spent.reduce((sum, turn) => addUsage(sum, turn.usage), noUsage)
        const costUsd = spent.some((turn) => turn.costUsd !== null) ? spent.reduce((sum, turn) => sum + (turn.costUsd ?? 0), 0) : null
        return finish(opened, { status, reasons: [{ code, message: reason }], failure: record, usage, costUsd }, failure, log)
      }
    }
  }

  return { execute }
}

const policyOf = ({ retry }: JobDefinition) => ({ attempts: retry.attempts, backoffMs: durationMs(retry.backoff) })

const LOST = { code: 'WORKER_LOST', retry: 'later', retryAfterMs: undefined } as const
const CURE_LOST = 'Look for what kills the worker, such as too little memory for the results of this job; then retry the run.'

function failureOf(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted && signal.reason instanceof Failure) return signal.reason
  if (error instanceof Failure) return error
  return new Failure({ code: 'INTERNAL_ERROR', message: `Unexpected: ${messageOf(error).slice(0, 300)}.`, cause: error })
}

/** A signal that follows `signal` and ends at the deadline. */
function abortAt(signal: AbortSignal, deadlineMs: number): { signal: AbortSignal; dispose: () => void } {
  const own = new AbortController()
  const follow = () => own.abort(signal.reason)
  signal.addEventListener('abort', follow, { once: true })
  if (signal.aborted) follow()
  const timer = setTimeout(
    () => own.abort(new Failure({ code: 'DEADLINE', message: `The attempt did not end within ${deadlineMs / 1000} s.` })),
    Math.min(deadlineMs, 2_147_483_647),
  )
  return {
    signal: own.signal,
    dispose: () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', follow)
    },
  }
}
