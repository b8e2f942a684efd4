import { firstWake } from '../../src/core/ports/wake.ts'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { pino } from 'pino'
import { loadConfiguredJobs } from '../../src/app/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Failure } from '../../src/core/failure.ts'
import { script } from '../../src/demo/model/script.ts'
import { startWorld } from '../../src/demo/world.ts'
import { openQueueBackend } from '../../src/queue/backend.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { newRun } from '../../src/runs/create.ts'
import { openDb, retryWhileUnavailable } from '../../src/store/postgres/db.ts'
import { insertRun } from '../../src/store/runs/insert.ts'
import { createDice } from '../support/dice.ts'
import { judgeLog, type LogCounts } from './log.ts'
import { startPostgres, startRedis } from './stores.ts'
import { judge, lookAtEnds, type Faults, type SeenEnds, type Verdict } from './verdict.ts'
import { startVictim, type Victim } from './victim.ts'
import { jobOf, scriptOf, startEffects, WORK_NAMES, type WorkName } from './work.ts'

export interface ChaosOptions {
  runs: number
  kills: number
  seed: number
  queue: 'redis' | 'postgres'
  /** Longest wait for the runs to be over after the last kill. */
  patienceMs: number
  say: (line: string) => void
  /** Where configuration, data and logs go, to be read afterwards; a directory that is removed when not given. */
  keepIn?: string | undefined
}

export interface ChaosReport extends Verdict {
  runs: number
  kills: number
  log: LogCounts
}

const BIN = join(import.meta.dirname, '../../src/cli/bin.js')
const WORKERS = 3
const LOCK = '3s'
/** Between two kills, in ms. */
const GAP = [300, 2500] as const
/** How long a killed one is away, in ms. */
const DOWN = [0, 2000] as const
const LOOK_MS = 500

export const isClean = (faults: Faults) => Object.values(faults).every((count: number) => count === 0)

/** Whether each line of the gateway's log is explained, and each request has its line. */
export const isJoined = ({ events, matched, unexplained, missing }: LogCounts) => events === matched && unexplained + missing === 0

/** Lets runs with side effects go on three workers while workers and stores are killed, and counts what that broke. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { runs, kills, seed, say } = options
  const dice = createDice(seed)
  await using stack = new AsyncDisposableStack()
  const dir = options.keepIn ?? mkdtempSync(join(tmpdir(), 'nightshift-chaos-'))
  mkdirSync(join(dir, 'jobs'), { recursive: true })
  chmodSync(dir, 0o711)
  if (options.keepIn === undefined) stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  for (const name of WORK_NAMES) writeFileSync(join(dir, 'jobs', `${name}.yaml`), stringify(jobOf(name)))

  const effects = stack.use(await startEffects(createDice(seed + 1)))
  const postgres = await startPostgres({ dir, say })
  stack.use(postgres.victim)
  const redis = options.queue === 'redis' ? await startRedis({ dir, say }) : undefined
  if (redis) stack.use(redis.victim)
  const world = stack.use(
    await startWorld({
      dir,
      jobsDir: join(dir, 'jobs'),
      scripts: Object.fromEntries(WORK_NAMES.map((name) => [name, script(scriptOf(name))])),
      routes: [effects.route],
      background: true,
      config: {
        databaseUrl: postgres.url,
        ...(redis && { redisUrl: redis.url }),
        worker: { concurrency: 5, lockTimeout: LOCK, drainTimeout: '5s' },
        servers: { counting: { maxRequestBytes: 65_536 } },
        log: { level: 'info' },
      },
    }),
  )
  const start = (name: string, part: string) =>
    startVictim({
      name,
      command: process.execPath,
      args: [BIN, '-c', world.configFile, 'start', '--only', part],
      logFile: join(dir, `${name}.log`),
      respawn: true,
      say,
      async ready(logged) {
        if (!logged().includes('Nightshift is at work')) throw new Error('it is still being started')
      },
    })
  stack.use(await start('scheduler', 'scheduler'))
  const workers = await Promise.all(Array.from({ length: WORKERS }, (_, i) => start(`worker-${i + 1}`, 'worker')))
  for (const worker of workers) stack.use(worker)

  const config = loadConfig({ file: world.configFile, env: {} })
  const { jobs, issues } = loadConfiguredJobs(config)
  if (issues.length > 0) throw new Error(issues.join('\n'))
  const db = openDb({ url: postgres.url })
  stack.defer(() => db.end())
  const backend = stack.adopt(await openQueueBackend({ redisUrl: redis?.url, databaseUrl: postgres.url }), (opened) => opened.close())
  const queue = stack.adopt(backend.queue(), (opened) => opened.close())
  const producer = createProducer(queue, pino({ level: 'silent' }))

  const asked = new Map<string, WorkName>()
  const names = dice.shuffle(Array.from({ length: runs }, (_, i) => WORK_NAMES[i % WORK_NAMES.length] ?? 'local-both'))

  async function ask(count: number, gapMs: number): Promise<void> {
    for (const name of names.splice(0, count)) {
      const job = jobs.get(name)
      if (!job) throw new Error(`no job ${name}`)
      const run = newRun(job, { trigger: { kind: 'cli' } })
      await retryWhileUnavailable(() => insertRun(db, run, job.definition).catch(unlessThere))
      asked.set(run.id, name)
      producer.wakeSoon([firstWake(run.id)])
      await sleep(gapMs)
    }
  }

  let killed = 0
  /** Runs are asked for before each kill, and while what was killed is away, so that there is always one to be hit. */
  async function harm(): Promise<void> {
    const share = Math.ceil(runs / (kills + 1))
    let bag: Victim[] = []
    while (killed < kills) {
      if (bag.length === 0) bag = dice.shuffle([...workers, postgres.victim, ...(redis ? [redis.victim] : [])])
      const victim = bag.pop()
      const [gapMs, downMs] = [dice.between(...GAP), dice.between(...DOWN)]
      const asking = ask(share, gapMs / share)
      await sleep(gapMs)
      say(`kill ${++killed}/${kills}: ${victim?.name}, down for ${downMs} ms; ${asked.size} of ${runs} asked for`)
      await Promise.all([victim?.kill(downMs), asking])
    }
    await ask(runs, 0)
  }

  const seen: SeenEnds = new Map()
  async function allOver(): Promise<void> {
    const working = harm().then(() => Date.now() + options.patienceMs)
    let until = Number.POSITIVE_INFINITY
    const told = working.then((at) => (until = at))
    while (Date.now() < until) {
      const ends = await lookAtEnds(db).catch(() => [])
      for (const { id, end } of ends) if (!seen.has(id)) seen.set(id, end)
      if (until !== Number.POSITIVE_INFINITY && ends.length >= runs) break
      await sleep(LOOK_MS)
    }
    await told
  }

  await allOver()
  const verdict = await judge(db, asked, seen, effects.effects)
  const { about, ...log } = await judgeLog(config, world)
  return { runs, kills: killed, ...verdict, about: [...verdict.about, ...about], log }
}

/** The answer to an insert was lost with the store, and the run is there. */
function unlessThere(error: unknown): void {
  if (error instanceof Failure || !(error instanceof Error) || !error.message.includes('duplicate key')) throw error
}
