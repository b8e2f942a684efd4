import { setTimeout as sleep } from 'node:timers/promises'
import { query } from '../../../src/store/postgres/db.ts'
import { build } from '../../../scripts/build.ts'
import { median, quantile, round, type Bench, type BenchOptions, type Row } from '../bench.ts'
import type { QueueKind } from '../place.ts'
import { openSite, type Site } from '../site.ts'

const CONCURRENCY = 20
const RUNS = 300
const WARM_UP = 100
const STARTS = 100
const GAP_MS = 20
const WAITING = 1000
const MODEL_MS = 20_000

/** Four turns and six calls, two at a time, on two servers; the prompts differ, since the model knows a conversation by its prompt. */
const job = (model: string) => ({
  account: 'reports',
  model: { provider: 'openai', name: model },
  prompt: 'Report what has changed. Run {{ run_id }}.',
  tools: { labor: { allow: ['describe_tables', 'query'] }, everything: { allow: ['get-sum', 'echo'] } },
  limits: { deadline: '30m' },
})

const turns = [
  'call labor__describe_tables {} & everything__echo {"message": "one"}',
  'call labor__query {"sql": "select count(*) as rows from unemployment"} & everything__get-sum {"a": 1, "b": 2}',
  'call labor__query {"sql": "select max(year) as latest from unemployment"} & everything__echo {"message": "two"}',
  'say The rates fell in most industries.',
]

/** What a run costs, on the demo's stand-ins. */
export const runs: Bench = {
  name: 'runs',
  about:
    'runs a second, CPU a run, enqueue to start, and memory and loop delay with 1,000 runs waiting on a slow model; on Redis and embedded',
  async run(options) {
    build()
    const rows: Row[] = []
    for (const queue of ['redis', 'embedded'] as const) {
      const row = await measure(queue, options)
      if (row) rows.push(row)
      else options.say('No Redis on this machine: set REDIS_URL, or install redis-server.')
    }
    return rows
  },
}

async function measure(queue: QueueKind, options: BenchOptions): Promise<Row | undefined> {
  const { say, reps, scale } = options
  const size = (count: number) => Math.max(1, Math.round(count * scale))
  const jobs = { quick: job('quick'), slow: job('slow') }
  const scripts = { quick: turns.join('\n'), slow: turns.map((turn) => `wait ${Math.round(MODEL_MS * scale)}\n${turn}`).join('\n') }
  const perSecond: number[] = []
  const cpu: number[] = []
  const starts: number[] = []
  {
    await using site = await openSite({ queue, jobs, scripts, concurrency: CONCURRENCY })
    if (!site) return undefined
    await site.finished(await site.enqueue('quick', size(WARM_UP)))
    for (let rep = 1; rep <= reps; rep++) {
      const one = await busy(site, size(RUNS))
      perSecond.push(one.perSecond)
      cpu.push(one.cpuMs)
      starts.push(...(await latency(site, size(STARTS))))
      say(
        `${queue} ${rep}/${reps}: ${round(one.perSecond)} runs/s, ${round(one.cpuMs)} ms CPU a run, start p50 ${round(median(starts))} ms`,
      )
    }
  }
  const memory: number[] = []
  const delays: number[] = []
  for (let rep = 1; rep <= reps; rep++) {
    await using site = await openSite({ queue, jobs, scripts, concurrency: size(WAITING) })
    if (!site) return undefined
    await site.finished(await site.enqueue('quick', size(WARM_UP)))
    await site.worker.loopMaxMs()
    await site.finished(await site.enqueue('slow', size(WAITING)), 200)
    delays.push(await site.worker.loopMaxMs())
    memory.push(site.worker.peakMb())
    say(
      `${queue} ${rep}/${reps}: ${size(WAITING)} waiting, ${Math.round(memory.at(-1) ?? 0)} MB, loop ${Math.round(delays.at(-1) ?? 0)} ms`,
    )
  }
  return {
    queue,
    runsPerSecond: round(median(perSecond)),
    cpuMsPerRun: round(median(cpu)),
    startP50Ms: round(median(starts)),
    startP99Ms: round(quantile(starts, 0.99)),
    waitingRuns: size(WAITING),
    waitingPeakMb: Math.round(median(memory)),
    waitingLoopMaxMs: Math.round(median(delays)),
  }
}

async function busy(site: Site, count: number): Promise<{ perSecond: number; cpuMs: number }> {
  const cpuBefore = site.worker.cpuMs()
  const began = performance.now()
  await site.finished(await site.enqueue('quick', count))
  const seconds = (performance.now() - began) / 1000
  return { perSecond: count / seconds, cpuMs: (site.worker.cpuMs() - cpuBefore) / count }
}

/** From asking for a run to its attempt, one run at a time, in ms. */
async function latency(site: Site, count: number): Promise<number[]> {
  const ms: number[] = []
  for (let i = 0; i < count; i++) {
    await sleep(GAP_MS)
    const askedAt = performance.timeOrigin + performance.now()
    const ids = await site.enqueue('quick', 1)
    await site.finished(ids, 5)
    const [row] = await query<{ at: number }>(
      site.db,
      'select extract(epoch from started_at)::float8 * 1000 as at from runs where id = any($1)',
      [ids],
    )
    ms.push((row?.at ?? Number.NaN) - askedAt)
  }
  return ms
}
