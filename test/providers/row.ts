import { audited } from '../support/log/audited.ts'
import { until } from '../support/until.ts'
import type { FailureCode } from '../../src/core/failure-codes.ts'
import type { RunStatus } from '../../src/core/run.ts'
import type { Habits } from '../../src/demo/model/vendors/habits.ts'
import type { Vendor } from '../../src/demo/model/vendors/vendor.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { buildFaultBench, type FaultBench, type FaultBenchUrls } from '../support/app/fault-bench.ts'
import { countingJob } from '../support/app/jobs.ts'

/** A server of a model, by what it insists on and how it goes about its work, and what must come of a run. */
export interface ProviderRow {
  name: string
  delegate: 'local' | 'hosted'
  api: 'responses' | 'chat' | 'anthropic'
  vendor?: () => Vendor
  habits?: Habits
  /** Its name there; `scripted` unless it is given. */
  model?: string
  script: string
  /** YAML of the job that follows. */
  more?: string
  /** Settings of the provider. */
  provider?: Record<string, unknown>
  /** What is started before the worker; it goes with the bench. */
  prepare?: (bench: FaultBench, stack: AsyncDisposableStack) => Promise<void>
  /** What happens meanwhile. */
  play?: (bench: FaultBench, runId: string) => Promise<void>
  expected: Expected
}

export interface Expected {
  status: RunStatus
  /** Of the run's failure; else of its first reason; null: it is green. */
  code: FailureCode | null
  /** Calls that the server got. */
  made: number
}

export interface Observed extends Expected {
  /** Calls that are written as made, or as made perhaps; with those that the gateway's log alone knows. */
  recorded: number
  /** Lines of the gateway's log that nothing explains: their account would be suspect. */
  unexplained: number
  /** Why it is not green. */
  why: string
}

/** Statuses of calls that no server got. */
const NOT_SENT = new Set(['refused', 'not_run'])

export async function playRow(row: ProviderRow, urls: FaultBenchUrls): Promise<Observed> {
  const { api, delegate, vendor, habits, script, more = '', provider = {} } = row
  await using bench = await buildFaultBench({
    urls,
    api,
    script,
    job: countingJob({
      ...(row.model !== undefined && { model: row.model }),
      retry: '{ attempts: 2, backoff: 10ms }',
      more: `delegate: ${delegate}\n${more}`,
    }),
    // Its connector sends no header that names a run.
    perRun: api === 'anthropic' && delegate === 'hosted',
    server: { ...(vendor && { vendor: vendor() }), ...(habits && { habits }) },
    config: { provider },
  })
  await using stack = new AsyncDisposableStack()
  await row.prepare?.(bench, stack)
  await bench.app.worker.start()
  const runId = await bench.queue()
  await row.play?.(bench, runId)
  await bench.ended(runId)
  const calls = () => bench.server.methods.filter((method) => method === 'tools/call').length
  // A provider that goes on makes them after the end of the run.
  await until(() => calls() >= row.expected.made)
  const { unexplained } = await audited(bench)
  const run = await loadRun(bench.app.db, runId)
  if (!run) throw new Error('the run is gone')
  return {
    status: run.status,
    code: run.failure?.code ?? run.reasons[0]?.code ?? null,
    made: calls(),
    recorded:
      run.toolCalls.filter(({ status }) => !NOT_SENT.has(status)).length + run.unreported.filter(({ tool }) => tool !== null).length,
    unexplained,
    why: run.failure?.message ?? run.reasons.map(({ message }) => message).join(' '),
  }
}

/** Ended as it must, and each call that was made is written. */
export const isAsExpected = ({ expected }: ProviderRow, { status, code, made, recorded, unexplained }: Observed): boolean =>
  status === expected.status && code === expected.code && made === expected.made && recorded === made && unexplained === 0
