import type { FailureCode } from '../../src/core/failure-codes.ts'
import type { RunStatus } from '../../src/core/run.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { buildFaultBench, type FaultBench, type FaultBenchOptions, type FaultBenchUrls } from '../support/app/fault-bench.ts'
import { countingJob } from '../support/app/jobs.ts'

export type Where = 'token' | 'gateway' | 'policy' | 'consent' | 'upstream' | 'model' | 'budget' | 'process'
export type QueueKind = 'redis' | 'postgres'

/** What came of a run. */
export interface Observed {
  status: RunStatus
  /** Of the run's failure; else of its first reason; else of its first attempt that failed. */
  code: FailureCode | null
  attempts: number
  /** How often the side effect happened. */
  effects: number
}

/** A fault, where it is put in, and what must come of it. */
export interface FaultRow {
  name: string
  where: Where
  delegate: 'local' | 'hosted'
  /** What is done to the bench before the run begins: mostly hooks that wait for their moment. */
  inject: (bench: FaultBench) => unknown
  expected: Observed
  /** The fault goes away by itself or by an operator, and the next attempt is green. */
  heals: boolean
  backends: readonly QueueKind[]
  /** Its own way from a queued run to where it is looked at; by default a worker does it until it is over or waits. Returns the run's id. */
  play?: (bench: FaultBench, urls: FaultBenchUrls) => Promise<string>
  /** What the bench is built with. */
  bench: Omit<FaultBenchOptions, 'urls'>
}

export const BOTH: readonly QueueKind[] = ['postgres', 'redis']

export interface RowOptions extends Partial<Pick<FaultRow, 'delegate' | 'heals' | 'backends' | 'play'>> {
  /** What the model says; by default one call of `act`, and an answer. */
  script?: string
  /** More YAML of the job, with what it replaces. */
  tools?: string
  retry?: string
  more?: string
  /** More of the job's `model:`. */
  settings?: string
  bench?: Partial<FaultBenchOptions>
}

export const ACT = 'call counting__act {"n": 1}'
/** A call that has an effect, one that has none and where most faults strike, and an answer. */
export const MIDDLE = `${ACT}\ncall counting__look {}\nsay $1 $2`

/** Makes the rows of an area. */
export const rowsOf =
  (where: Where) =>
  (
    name: string,
    expected: [RunStatus, FailureCode | null, attempts: number, effects: number],
    inject: FaultRow['inject'],
    options: RowOptions = {},
  ): FaultRow => {
    const { delegate = 'local', heals = false, backends = BOTH, script = MIDDLE, play } = options
    const [status, code, attempts, effects] = expected
    const job = countingJob({
      ...(options.settings !== undefined && { settings: options.settings }),
      ...(options.tools !== undefined && { tools: options.tools }),
      retry: options.retry ?? '{ attempts: 2, backoff: 10ms }',
      more: `delegate: ${delegate}\n${options.more ?? ''}`,
    })
    return {
      name,
      where,
      delegate,
      inject,
      expected: { status, code, attempts, effects },
      heals,
      backends,
      ...(play && { play }),
      bench: { job, script, ...options.bench },
    }
  }

/** Builds the bench of a row, puts the fault in, and says what came of a run. */
export async function runRow(row: FaultRow, urls: FaultBenchUrls): Promise<Observed> {
  await using bench = await buildFaultBench({ ...row.bench, urls })
  await row.inject(bench)
  const run = await loadRun(bench.app.db, await (row.play ?? playToEnd)(bench, urls))
  if (!run) throw new Error('the run is gone')
  const failed = run.attempts.find(({ failure }) => failure !== null)
  return {
    status: run.status,
    code: run.failure?.code ?? run.reasons[0]?.code ?? failed?.failure?.code ?? null,
    attempts: run.attempts.length,
    effects: bench.server.effects.length,
  }
}

async function playToEnd(bench: FaultBench): Promise<string> {
  await bench.app.worker.start()
  const runId = await bench.queue()
  await bench.ended(runId)
  return runId
}

/** Until an attempt has failed and the next one is a long way off. */
export async function playToRetry(bench: FaultBench): Promise<string> {
  const failed = new Promise<void>((done) => (bench.onRetry = () => done()))
  await bench.app.worker.start()
  const runId = await bench.queue()
  await failed
  return runId
}
