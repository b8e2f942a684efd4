import type { Logger } from 'pino'
import { deadlineSignal } from '../lib/time/deadline.ts'
import { createTurns } from '../lib/time/turns.ts'
import { durationMs } from '../lib/duration.ts'
import type { AttemptRef } from '../core/run.ts'
import { Failure, toFailure } from '../core/failure.ts'
import { FAILURES } from '../core/failure-codes.ts'
import { decideRetry } from '../core/rules/retry.ts'
import { tryReadDefinition, type JobDefinition } from '../jobs/schema.ts'
import { createBudget } from '../store/attempts/budgets.ts'
import { openAttempt, type OpenedAttempt } from '../store/runs/claim.ts'
import type { ConcurrencyOf } from '../store/runs/holds.ts'
import type { Db } from '../store/postgres/db.ts'
import { lastTurnNumber, loadHistory, loadLostCalls, loadOpenResponse, loadTexts, loadUnseen } from '../store/attempts/history.ts'
import type { JournalWriter } from '../store/attempts/journal.ts'
import { accountEnded, askForAccount } from '../store/attempts/account-ends.ts'
import { insertRunAccount } from '../store/attempts/run-accounts.ts'
import { loadLastGreen } from '../store/schedules/last-green.ts'
import { loadUnclaimedRun } from '../store/runs/finish.ts'
import { inputFault } from './create.ts'
import { endRequestedCancel } from './cancel.ts'
import { runAttempt } from './attempt/attempt.ts'
import { fireTimeOf } from './attempt/texts.ts'
import type { Execution } from './attempt/execution.ts'
import { tellProgress, type OnProgress, type Tell } from './progress.ts'
import { createSettler, policyOf } from './settle.ts'
import type { ResourceSource } from './resources.ts'

export interface RunnerOptions {
  db: Db
  journal: JournalWriter
  resources: ResourceSource
  /** Name of this worker process, for the attempt's row. */
  worker: string
  /** A run whose worker was silent for this long may be taken over. */
  leaseMs: number
  /** Most runs at a time; undefined when no limit is set at all. */
  concurrencyOf?: ConcurrencyOf | undefined
  /** What a run is told the time is when its conversation begins; undefined: the time it is. An evaluation tells the time of its case. */
  clock?: ((runId: string) => Date | undefined) | undefined
  log: Logger
  onProgress?: OnProgress | undefined
  /** Is told of each attempt that begins its work; disposed of when the work is over. */
  onWork?: ((attempt: AttemptRef) => Disposable) | undefined
}

export interface Runner {
  /**
   * Opens the run's next attempt and does it. `queueJobId` names the queue job that brought it. Aborting `signal` with a `Failure` ends the
   * attempt for that reason.
   */
  execute(runId: string, queueJobId: string, signal: AbortSignal): Promise<Execution>
}

/** Makes the function that does runs. It needs no queue: a test or the CLI can call it. */
export function createRunner(options: RunnerOptions): Runner {
  const { db, journal, worker, leaseMs, concurrencyOf } = options
  const onProgress = options.onProgress ?? (() => {})
  const settler = createSettler({ db, redact: options.resources.redactor.redact, concurrencyOf, onProgress })
  const definitions = new Map<string, JobDefinition | undefined>()
  const suspects = createTurns()

  function definitionOf({ jobVersion, definition: kept }: Pick<OpenedAttempt, 'jobVersion' | 'definition'>): JobDefinition | undefined {
    if (!definitions.has(jobVersion)) definitions.set(jobVersion, tryReadDefinition(kept))
    return definitions.get(jobVersion)
  }

  async function execute(runId: string, queueJobId: string, signal: AbortSignal): Promise<Execution> {
    const claim = await openAttempt(db, runId, { worker, queueJobId, leaseMs, concurrencyOf })
    switch (claim.kind) {
      case 'opened':
        return attempt(claim.opened, signal)
      case 'not-yet':
      case 'busy':
        return claim
      case 'held':
        options.log.info({ runId, by: claim.by }, 'The run is held back.')
        return { kind: 'held', next: await settler.releaseAccountSlot(claim) }
      case 'expired': {
        const run = await loadUnclaimedRun(db, runId)
        return run ? settler.expire(run, definitionOf(run), claim.at) : { kind: 'nothing' }
      }
      case 'cancel-requested':
        await endRequestedCancel(db, runId)
        return { kind: 'nothing' }
      case 'not-runnable':
      case 'unknown':
        return { kind: 'nothing' }
    }
  }

  async function attempt(opened: OpenedAttempt, signal: AbortSignal): Promise<Execution> {
    const { runId, number } = opened.attempt
    const log = options.log.child({ runId, job: opened.job, attempt: number })
    const definition = definitionOf(opened)
    if (!definition) return settler.fail({ opened, definition, log }, unreadable(opened))
    const tell: Tell = (event) => onProgress({ runId, job: opened.job, ...event })
    tell({ event: 'attempt', number, account: definition.account, tookOver: opened.tookOver })
    log.info({ account: definition.account, tookOver: opened.tookOver }, 'Attempt started.')
    // One at a time: if the worker stalls again it is known which one does it, and the others are not ended with it.
    using during = new DisposableStack()
    if (opened.stalled > 0) during.use(await suspects.take(signal))
    during.use(options.onWork?.(opened.attempt))
    const { resources } = during.use(options.resources.hold())
    const deadlineMs = durationMs(definition.limits.deadline)
    using limited = deadlineSignal(
      signal,
      deadlineMs,
      () => new Failure({ code: 'DEADLINE', message: `The attempt did not end within ${deadlineMs / 1000} s.` }),
    )
    const one = { opened, definition, log }
    const now = options.clock?.(runId)
    try {
      checkLost(opened, definition)
      checkInput(opened, definition)
      const written = journal.forAttempt(opened.attempt)
      const warn = (message: string) => log.warn(message)
      const ceilings = resources.ceilings(opened.job, definition.account)
      const result = await runAttempt(
        resources,
        {
          // A fire that is told to be now is not one that was missed.
          opened: now ? { ...opened, createdAt: now } : opened,
          now,
          definition,
          ...(await past(opened, definition)),
          journal: options.onProgress ? tellProgress(written, tell) : written,
          tell,
          budget: ceilings.length === 0 ? undefined : createBudget({ db, ceilings, warn }),
          warn,
          deadline: new Date(Date.now() + deadlineMs),
          endsAt: performance.now() + deadlineMs,
          accounts: {
            asked: (expiresAt) => askForAccount(db, opened.attempt, expiresAt),
            record: (row) => insertRunAccount(db, opened.attempt, row),
            ended: () => accountEnded(db, opened.attempt),
          },
        },
        limited.signal,
      )
      if (result.notes.length > 0) log.warn({ notes: result.notes }, 'Something that the job may use is not there.')
      return await settler.succeed(one, result)
    } catch (error) {
      return await settler.fail(one, failureOf(error, limited.signal))
    }
  }

  /** Loads what earlier attempts of the conversation wrote, to replay it. */
  async function past(opened: OpenedAttempt, { delegate, schedule }: JobDefinition) {
    const { resumed, conversation, job } = opened
    const { runId, number } = opened.attempt
    const lastGreen = schedule?.period === 'since-last-green' ? await loadLastGreen(db, job, fireTimeOf(opened)) : undefined
    if (number === 1) return { history: [], open: undefined, lostCalls: [], nextTurn: 1, texts: undefined, lastGreen, unseen: [] }
    return {
      lastGreen,
      texts: resumed ? await loadTexts(db, runId, conversation) : undefined,
      history: resumed ? await loadHistory(db, runId, conversation) : [],
      unseen: resumed ? await loadUnseen(db, runId, conversation) : [],
      open: resumed && delegate === 'hosted' ? await loadOpenResponse(db, runId, conversation) : undefined,
      lostCalls: resumed && delegate === 'hosted' ? await loadLostCalls(db, runId, conversation) : [],
      nextTurn: (await lastTurnNumber(db, runId)) + 1,
    }
  }

  return { execute }
}

const unreadable = ({ job, jobVersion }: OpenedAttempt) =>
  new Failure({
    code: 'WORKER_UNFIT',
    message: `Job ${job} is kept as version ${jobVersion}, which this version of Nightshift cannot read.`,
  })

/** Ends a run that was lost with too many workers, or that stalled too many. */
function checkLost({ attempt: { runId }, lost, stalled }: OpenedAttempt, definition: JobDefinition): void {
  const check = (code: 'WORKER_LOST' | 'WORKER_STALLED', times: number, message: string) => {
    const failure = { code, retry: 'later', retryAfterMs: undefined } as const
    if (decideRetry(failure, times, policyOf(definition)).verdict !== 'retry')
      throw new Failure({ code, retry: 'never', message, cure: `${FAILURES[code].cure} Then: nightshift retry ${runId}.` })
  }
  check('WORKER_STALLED', stalled, `The event loops of ${stalled} workers were blocked while they did this run.`)
  check('WORKER_LOST', lost, `${lost} workers died with this run.`)
}

/** A retry goes on with the input that is there, perhaps under a definition that is newer. */
function checkInput({ job, input, conversation }: OpenedAttempt, definition: JobDefinition): void {
  const fault = conversation > 1 ? inputFault(definition, input) : undefined
  if (fault === undefined) return
  throw new Failure({
    code: 'INPUT_INVALID',
    message: `The input that is kept does not fit job ${job} as it is now: ${fault}.`,
    cure: 'Retry the run with an input that fits, or with the definition that it had.',
  })
}

function failureOf(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted && signal.reason instanceof Failure) return signal.reason
  return toFailure(error)
}
