import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { script } from '../../src/demo/model/script.ts'
import { startWorld } from '../../src/demo/world.ts'
import { openConfigured } from '../support/configured.ts'
import { createDice } from '../support/dice.ts'
import { judgeLog, type LogCounts } from './log.ts'
import { startPostgres, startRedis } from './stores.ts'
import { isDelivered, judge, lookAtEnds, type Faults, type SeenEnds, type Verdict } from './verdict.ts'
import { programOf, writeEarlier, writeOther, type Program } from './release.ts'
import { startPart, type Victim } from './victim.ts'
import { isOfServers, jobOf, scriptOf, startEffects, WORK_NAMES, type WorkName } from './work.ts'

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
  /** How often one of them is stopped where it is, for up to `longestMs`, and goes on. */
  freezes?: { count: number; longestMs: number } | undefined
  /** The library of faketime: at each blow the clock of one worker is set an hour forward or back, or right. */
  faketime?: string | undefined
  /** A checkout of the release before: all workers are of it at first, and after a third of the kills whatever is killed comes back as this one. */
  from?: string | undefined
  /** A checkout whose programs begin on a later store: whatever is killed comes back as that one or as this, with one of two configurations. */
  beside?: string | undefined
}

export interface ChaosReport extends Verdict {
  runs: number
  kills: number
  freezes: number
  log: LogCounts
}

/** The worker whose clock is wrong. */
const WRONG = 'worker-1'
const ROOT = join(import.meta.dirname, '../..')
const WORKERS = 3
const WORKER = { lockTimeout: '3s', drainTimeout: '5s' }
/** Between two kills, in ms. */
const GAP = [300, 2500] as const
/** How long a killed one is away, in ms. */
const DOWN = [0, 2000] as const
const LOOK_MS = 500
const LEAST_FROZEN_MS = 1000
/** Seconds by which the wrong clock may be off. */
const OFF = [-3600, 0, 3600] as const

export const isClean = (faults: Faults) => Object.values(faults).every((count: number) => count === 0)

/** Whether each line of the gateway's log is explained, and each request has its line. */
export const isJoined = ({ events, matched, unexplained, missing }: LogCounts) => events === matched && unexplained + missing === 0

/** Lets runs with side effects go on three workers while workers and stores are killed, and counts what that broke. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { runs, kills, seed, say } = options
  const { count: freezes, longestMs } = options.freezes ?? { count: 0, longestMs: 0 }
  const dice = createDice(seed)
  await using stack = new AsyncDisposableStack()
  const dir = options.keepIn ?? mkdtempSync(join(tmpdir(), 'nightshift-chaos-'))
  mkdirSync(join(dir, 'jobs'), { recursive: true })
  chmodSync(dir, 0o711)
  if (options.keepIn === undefined) stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  const works = options.from === undefined ? WORK_NAMES : WORK_NAMES.filter(isOfServers)
  for (const name of works) writeFileSync(join(dir, 'jobs', `${name}.yaml`), stringify(jobOf(name)))
  // The other configuration has another version of each job, and fewer of them.
  mkdirSync(join(dir, 'jobs-of-other'), { recursive: true })
  for (const name of works.slice(1))
    writeFileSync(join(dir, 'jobs-of-other', `${name}.yaml`), stringify({ ...jobOf(name), prompt: 'Do the other work of {{ run_id }}.' }))

  const effects = stack.use(await startEffects(createDice(seed + 1)))
  const postgres = await startPostgres({ dir, say })
  stack.use(postgres.victim)
  const redis = options.queue === 'redis' ? await startRedis({ dir, say }) : undefined
  if (redis) stack.use(redis.victim)
  const world = stack.use(
    await startWorld({
      dir,
      jobsDir: join(dir, 'jobs'),
      scripts: Object.fromEntries(works.map((name) => [name, script(scriptOf(name))])),
      routes: [effects.route],
      background: true,
      config: {
        databaseUrl: postgres.url,
        ...(redis && { redisUrl: redis.url }),
        worker: { concurrency: 5, ...WORKER },
        servers: { counting: { maxRequestBytes: 65_536 } },
        log: { level: 'info' },
      },
    }),
  )
  const clockFile = join(dir, 'clock')
  const setClock = (seconds: number) => writeFileSync(clockFile, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  setClock(0)
  const wrongClock = options.faketime !== undefined && {
    LD_PRELOAD: options.faketime,
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_CACHE_DURATION: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  }
  const withClock = (name: string, program: Program): Program => (wrongClock && name === WRONG ? { ...program, env: wrongClock } : program)
  const present = (name: string, part: string) => withClock(name, programOf(ROOT, world.configFile, part))
  const { from, beside } = options
  const earlierFile = from === undefined ? '' : writeEarlier(world.configFile)
  const first = (name: string, part: string) =>
    from === undefined ? present(name, part) : withClock(name, programOf(from, earlierFile, part))
  const otherFile = writeOther(world.configFile, {
    worker: { concurrency: 2, ...WORKER, lockTimeout: '5s' },
    jobsDir: join(dir, 'jobs-of-other'),
  })
  const programs = (name: string, part: string, earlierRoot: string): Program[] =>
    [world.configFile, otherFile].flatMap((file) => [
      withClock(name, programOf(ROOT, file, part)),
      withClock(name, programOf(earlierRoot, writeEarlier(file), part)),
    ])
  const start = (name: string, part: string) => startPart({ name, program: first(name, part), dir, say })
  const scheduler = stack.use(await start('scheduler', 'scheduler'))
  const workers = await Promise.all(Array.from({ length: WORKERS }, (_, i) => start(`worker-${i + 1}`, 'worker')))
  for (const worker of workers) stack.use(worker)

  const { config, db, askFor } = await openConfigured(world.configFile, stack)

  const asked = new Map<string, WorkName>()
  const names = dice.shuffle(Array.from({ length: runs }, (_, i) => works[i % works.length] ?? 'local-both'))

  async function ask(count: number, gapMs: number): Promise<void> {
    for (const name of names.splice(0, count)) {
      asked.set(await askFor(name), name)
      await sleep(gapMs)
    }
  }

  const blows = dice.shuffle([
    ...Array.from({ length: kills }, () => 'kill' as const),
    ...Array.from({ length: freezes }, () => 'freeze' as const),
  ])
  /** What a worker that was killed comes back as. Of the release before: from a third of the blows on as this one. */
  function programAt(blow: number, victim: Victim | undefined): Program | undefined {
    if (!victim || !workers.includes(victim)) return undefined
    if (beside !== undefined) return dice.shuffle(programs(victim.name, 'worker', beside))[0]
    return from !== undefined && blow > blows.length / 3 ? present(victim.name, 'worker') : undefined
  }

  /** Runs are asked for before each blow, and while what was hit is away, so that there is always one to be hit. */
  async function harm(): Promise<void> {
    const share = Math.ceil(runs / (blows.length + 1))
    let bag: Victim[] = []
    for (const [i, blow] of blows.entries()) {
      if (bag.length === 0) bag = dice.shuffle([...workers, postgres.victim, ...(redis ? [redis.victim] : [])])
      const victim = bag.pop()
      const gapMs = dice.between(...GAP)
      const awayMs = blow === 'kill' ? dice.between(...DOWN) : dice.between(LEAST_FROZEN_MS, longestMs)
      const asking = ask(share, gapMs / share)
      await sleep(gapMs)
      if (wrongClock) setClock(dice.shuffle([...OFF])[0] ?? 0)
      say(`${blow} ${i + 1}/${blows.length}: ${victim?.name}, for ${awayMs} ms; ${asked.size} of ${runs} asked for`)
      const struck = blow === 'kill' ? victim?.kill(awayMs, programAt(i, victim)) : sleep(awayMs, victim?.freeze()).then((thaw) => thaw?.())
      await Promise.all([struck, asking])
    }
    if (from !== undefined || beside !== undefined) {
      for (const worker of workers) await worker.kill(0, present(worker.name, 'worker'))
      await scheduler.kill(0, present('scheduler', 'scheduler'))
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
      if (until !== Number.POSITIVE_INFINITY && ends.length >= runs && (await isDelivered(db).catch(() => false))) break
      await sleep(LOOK_MS)
    }
    await told
  }

  await allOver()
  const verdict = await judge(db, asked, seen, effects.effects)
  const { about, ...log } = await judgeLog(config, world)
  return { runs, kills, freezes, ...verdict, about: [...verdict.about, ...about], log }
}
