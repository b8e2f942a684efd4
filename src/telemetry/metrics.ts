import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { ConfigState } from '../core/ports/config-state.ts'
import type { Usage } from '../core/run.ts'
import { OWN_SERVER } from '../core/words/endings.ts'
import type { Duty } from '../lib/time/duty.ts'
import type { Progress } from '../runs/progress.ts'
import { newestCheckpoint } from '../store/audit/evidence.ts'
import { addConfigGauges } from './config-gauges.ts'
import { addTagCounters } from './tag-counters.ts'
import { badRowStats } from '../store/bad-rows.ts'
import { countLineless } from '../store/audit/lineless.ts'
import { alarmStats, suspectStats } from '../store/stats.ts'
import { countOpen } from '../store/status.ts'
import type { Db } from '../store/postgres/db.ts'

export interface MetricsOptions {
  db: Db
  /** Seconds until the token of each account of this process expires; undefined for one that does not. */
  tokenSeconds: () => Iterable<readonly [account: string, seconds: number | undefined]>
  /** What a job file names; undefined for a job that there is not any more. */
  named: (job: string) => { model: string; servers: readonly string[] } | undefined
  /** Faults of job files now. */
  jobFaults: () => number
  /** Tags that runs are counted by. */
  tagNames: () => readonly string[]
  /** How far the clock of this process is ahead of the store's; undefined before it was measured. */
  skewMs: () => number | undefined
  /** What this process does in the background. */
  duties: () => readonly Duty[]
  /** How the configuration stands to its file. */
  config: () => ConfigState
}

export interface Metrics {
  onProgress: (progress: Progress) => void
  onFire: (lateMs: number) => void
  render: () => Promise<{ contentType: string; text: string }>
}

const MODEL_BUCKETS = [0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320]
const GATEWAY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
const LATE_BUCKETS = [0.5, 1, 2, 5, 10, 30, 60, 300, 3600]

/** Instead of a name that stands in no file of ours: a provider and a model may say anything, each time another. */
const OTHER = 'other'

const serverLabel = (server: string, known: readonly string[] = []): string =>
  server === '' ? 'none' : server === OWN_SERVER || known.includes(server) ? server : OTHER

/** What this process did, and what the store holds. Labels are names from the configuration and job files and our own words, and values of the tags that the configuration names: no ids, no text. */
export function createMetrics({ db, tokenSeconds, named, jobFaults, duties, skewMs, config, tagNames }: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const runs = new Counter({
    name: 'nightshift_runs_total',
    help: 'Runs that ended here, by job and outcome.',
    labelNames: ['job', 'outcome'],
    registers,
  })
  const attempts = new Counter({ name: 'nightshift_attempts_total', help: 'Attempts that began here.', labelNames: ['job'], registers })
  const calls = new Counter({
    name: 'nightshift_tool_calls_total',
    help: 'Tool calls, by server and outcome.',
    labelNames: ['server', 'outcome'],
    registers,
  })
  const tokens = new Counter({
    name: 'nightshift_model_tokens_total',
    help: 'Tokens, by job and kind.',
    labelNames: ['job', 'kind'],
    registers,
  })
  const estimated = new Counter({
    name: 'nightshift_model_usage_unknown_total',
    help: 'Answers of which nobody said what they used, or whose end was not seen: their tokens are an estimate, and their cost is not counted.',
    labelNames: ['job'],
    registers,
  })
  const cost = new Counter({
    name: 'nightshift_model_cost_usd_total',
    help: 'Cost of turns with a known price.',
    labelNames: ['job'],
    registers,
  })
  const model = new Histogram({
    name: 'nightshift_model_turn_seconds',
    help: 'Time of a model turn.',
    labelNames: ['model'],
    buckets: MODEL_BUCKETS,
    registers,
  })
  const gateway = new Histogram({
    name: 'nightshift_gateway_request_seconds',
    help: 'Time to the head of an answer of the gateway, by its status.',
    labelNames: ['status'],
    buckets: GATEWAY_BUCKETS,
    registers,
  })
  const late = new Histogram({
    name: 'nightshift_fire_lateness_seconds',
    help: 'How long after its time a fire made its run.',
    buckets: LATE_BUCKETS,
    registers,
  })
  const open = new Gauge({
    name: 'nightshift_open_runs',
    help: 'Runs that are not over, by where they stand: due, later, behind, held, paused, running or waiting, as nightshift status counts them.',
    labelNames: ['status'],
    registers,
  })
  const oldest = new Gauge({
    name: 'nightshift_open_runs_oldest_seconds',
    help: 'Age of the oldest of them: since its attempt began, since it waits for a person, or since it was due.',
    labelNames: ['status'],
    registers,
  })
  const expiry = new Gauge({
    name: 'nightshift_token_expires_seconds',
    help: 'Seconds until the token of an account expires.',
    labelNames: ['account'],
    registers,
  })
  const unexplained = new Gauge({
    name: 'nightshift_audit_unexplained_lines',
    help: 'Lines of the gateway’s log that nothing explains, of accounts that are suspect until they are acknowledged.',
    labelNames: ['account'],
    registers,
  })
  const unsent = new Gauge({
    name: 'nightshift_audit_alarms_unsent',
    help: 'Alarms that nobody was told of yet: their receiver refuses them, or it is not there.',
    labelNames: ['why'],
    registers,
  })
  const lineless = new Gauge({
    name: 'nightshift_audit_lineless_requests',
    help: 'Requests of the last hour that have no line in the gateway’s log after minutes: does nobody read it any more?',
    registers,
  })
  const faults = new Gauge({
    name: 'nightshift_job_file_faults',
    help: 'Faults of job files; while there are any, the jobs from before are in force.',
    registers,
  })

  const skew = new Gauge({
    name: 'nightshift_clock_skew_seconds',
    help: 'How far the clock of this process is ahead of the store’s.',
    registers,
  })
  const badRows = new Gauge({
    name: 'nightshift_bad_rows',
    help: 'Rows of the store that a duty could not handle in the last two days; it goes on with the others, and the log names each.',
    labelNames: ['duty'],
    registers,
  })
  const checkpoint = new Gauge({
    name: 'nightshift_checkpoint_number',
    help: 'Number of the newest checkpoint in the store; where it falls, checkpoints were taken away.',
    registers,
  })
  const dutySuccess = new Gauge({
    name: 'nightshift_duty_last_success_timestamp_seconds',
    help: 'When a duty of this process last ended a round well, such as the sweep or retention; before the first time, when it was started.',
    labelNames: ['duty'],
    registers,
  })
  const dutyFailures = new Counter({
    name: 'nightshift_duty_failures_total',
    help: 'Rounds of a duty that failed; each is tried again.',
    labelNames: ['duty'],
    registers,
  })

  const setConfig = addConfigGauges(registry, config)
  const countTagged = addTagCounters(registry, tagNames)

  function countUsage(job: string, usage: Usage): void {
    if (usage.estimated) estimated.inc({ job })
    tokens.inc({ job, kind: 'input' }, usage.inputTokens)
    tokens.inc({ job, kind: 'cached' }, usage.cachedTokens)
    tokens.inc({ job, kind: 'output' }, usage.outputTokens)
  }

  function onProgress(progress: Progress): void {
    const { job } = progress
    switch (progress.event) {
      case 'attempt':
        return attempts.inc({ job })
      case 'finished':
        countTagged({ ...progress, outcome: progress.status })
        return runs.inc({ job, outcome: progress.status })
      case 'call':
        return calls.inc({ server: serverLabel(progress.call.server, named(job)?.servers), outcome: progress.end.status })
      case 'request':
        return gateway.observe({ status: String(progress.end.status ?? 'none') }, progress.end.durationMs / 1000)
      case 'turn': {
        const { usage, costUsd, startedAt, finishedAt } = progress.turn
        countUsage(job, usage)
        if (costUsd !== null) cost.inc({ job }, costUsd)
        return model.observe({ model: named(job)?.model ?? OTHER }, (finishedAt.getTime() - startedAt.getTime()) / 1000)
      }
      case 'unseen':
        return countUsage(job, progress.answer.usage)
      case 'routes':
      case 'preflight':
      case 'retry':
      case 'waiting':
        return
    }
  }

  async function render(): Promise<{ contentType: string; text: string }> {
    open.reset()
    oldest.reset()
    for (const [status, those] of Map.groupBy(await countOpen(db, undefined), ({ state }) => state)) {
      // Several limits hold runs, each its own.
      open.set(
        { status },
        those.reduce((sum, { runs: n }) => sum + n, 0),
      )
      oldest.set({ status }, Math.max(...those.map(({ oldestS }) => oldestS)))
    }
    expiry.reset()
    for (const [account, seconds] of tokenSeconds()) if (seconds !== undefined) expiry.set({ account }, seconds)
    unexplained.reset()
    for (const { account, events } of await suspectStats(db)) unexplained.set({ account }, events)
    const { waiting, refused } = await alarmStats(db)
    unsent.set({ why: 'refused' }, refused)
    unsent.set({ why: 'waiting' }, waiting)
    lineless.set((await countLineless(db, 0)).requests)
    badRows.reset()
    for (const { duty, rows } of await badRowStats(db)) badRows.set({ duty }, rows)
    const skewed = skewMs()
    if (skewed !== undefined) skew.set(skewed / 1000)
    faults.set(jobFaults())
    setConfig()
    checkpoint.set(await newestCheckpoint(db))
    dutyFailures.reset()
    for (const { name: duty, startedAgoMs, succeededAgoMs, failures } of duties().map((one) => one.state())) {
      if (startedAgoMs === undefined) continue
      // oxlint-disable-next-line house/steady-clock -- a moment, for those who compare it with their own clock
      dutySuccess.set({ duty }, (Date.now() - (succeededAgoMs ?? startedAgoMs)) / 1000)
      dutyFailures.inc({ duty }, failures)
    }
    return { contentType: registry.contentType, text: await registry.metrics() }
  }

  return { onProgress, onFire: (lateMs) => late.observe(lateMs / 1000), render }
}
