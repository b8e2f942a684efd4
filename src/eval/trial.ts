// One run of one case by one arm, over the path that every run takes, in a store of its own.
import type { Logger } from 'pino'
import type { FailureRecord } from '../core/failure.ts'
import type { FailureCode } from '../core/failure-codes.ts'
import type { Trigger } from '../core/run.ts'
import type { RunView } from '../core/view.ts'
import { pause } from '../lib/time/pause.ts'
import { createRun } from '../runs/create.ts'
import { createRunner, type RunnerOptions } from '../runs/execute.ts'
import type { Db } from '../runs/queries.ts'
import { requireRun } from '../runs/lookup.ts'
import { always, type RunResources } from '../runs/resources.ts'
import { jobOf, type EvalCase } from './cases/cases.ts'
import { openFixtures } from './cases/fixtures.ts'

/** What trials run in: a store that no worker looks at, and the deployment's own accounts, providers and gateway. */
export interface EvalBench {
  db: Db
  journal: RunnerOptions['journal']
  resources: RunResources
  log: Logger
}

const WORKER = 'eval'
const LEASE_MS = 86_400_000

/** What is wrong with the deployment and not with a case: no run can do its work before somebody mends it, so that an evaluation does not wait for it. */
const HOPELESS = new Set<FailureCode>([
  'TOKEN_REJECTED',
  'TOKEN_EXPIRES_TOO_SOON',
  'MINTER_REFUSED',
  'MODEL_AUTH',
  'MODEL_NOT_FOUND',
  'MODEL_QUOTA',
])
export const isHopeless = (code: FailureCode): boolean => HOPELESS.has(code)

export interface TrialOptions {
  signal: AbortSignal
  /** Called when the run waits for its next attempt. */
  onWait?: ((waitMs: number, failure: FailureRecord) => void) | undefined
}

/** Runs a case once, and gives the run when it is over, waits for a person, cannot go on, or the signal ended it. */
export async function runCase(bench: EvalBench, one: EvalCase, file: string, { signal, onWait }: TrialOptions): Promise<RunView> {
  await using stack = new AsyncDisposableStack()
  const fixtures = one.record && stack.use(await openFixtures(one.record, bench.resources))
  const resources = { ...(fixtures?.resources ?? bench.resources), refuseWrites: one.writes === 'refused' }
  const job = jobOf(one, file)
  const runner = createRunner({
    db: bench.db,
    journal: bench.journal,
    resources: always(resources),
    worker: WORKER,
    leaseMs: LEASE_MS,
    clock: () => one.now,
    log: bench.log,
  })
  const trigger: Trigger = one.at ? { kind: 'schedule', fireAt: one.at.toISOString() } : { kind: 'cli' }
  const id = await createRun(bench.db, job, { trigger, input: one.input, requestedBy: WORKER })
  for (let delivery = 1; ; delivery++) {
    const execution = await runner.execute(id, `${id}-${delivery}`, signal)
    if (execution.kind !== 'retry' && execution.kind !== 'not-yet') break
    const waitMs = execution.inMs
    if (execution.kind === 'retry') {
      if (isHopeless(execution.failure.code)) break
      onWait?.(waitMs, execution.failure.toJSON())
    }
    await pause(waitMs, signal)
    if (signal.aborted) break
  }
  return requireRun(bench.db, id)
}
