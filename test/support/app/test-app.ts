import { firstWake } from '../../../src/core/ports/wake.ts'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { createApp, type App } from '../../../src/app/app.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { script } from '../../../src/demo/model/script.ts'
import { startWorld, type World, type WorldOptions } from '../../../src/demo/world.ts'
import { createRun } from '../../../src/runs/create.ts'
import type { Progress } from '../../../src/runs/progress.ts'
import type { RunView } from '../../../src/core/view.ts'
import { createTestDatabase, type TestDatabase } from '../database/database.ts'
import { watchProgress } from './progress.ts'

export interface TestAppOptions extends Partial<
  Pick<WorldOptions, 'routes' | 'validate' | 'config' | 'api' | 'background' | 'metadata' | 'provider' | 'server' | 'replaceRequestIds'>
> {
  /** Job files by name: YAML text. */
  jobs: Record<string, string>
  /** Scripts of the model by its name: in the language of src/demo/model/script.ts. */
  scripts?: Record<string, string>
  redisUrl?: string | undefined
  /** Other files beside the configuration, by name. */
  files?: Record<string, string>
}

/** A whole Nightshift on a database of its own, with everything that it talks to. */
export interface TestApp extends AsyncDisposable {
  world: World
  database: TestDatabase
  app: App
  dir: string
  /** All log lines so far. */
  log: string[]
  /** Another replica on the same store and queue. */
  replica(): Promise<App>
  /** Writes a run without telling the queue. */
  write(job: string, input?: unknown): Promise<string>
  /** Queues a run and returns its id. */
  queue(job: string, input?: unknown): Promise<string>
  /** Resolves when the run is over or waits, in whichever replica. */
  ended(runId: string): Promise<RunView>
  /** Resolves when the run is over, also when it waited before. */
  finished(runId: string): Promise<RunView>
  /** Queues a run, lets a worker do it, and returns what came of it. */
  run(job: string, input?: unknown): Promise<RunView>
  /** Progress of all replicas so far. */
  progress: Progress[]
}

/** Builds a testApp. Nothing works in it until `app.worker.start()` or `run`. */
export async function buildTestApp(options: TestAppOptions): Promise<TestApp> {
  await using building = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-testApp-'))
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(dir, name), text)
  for (const [name, text] of Object.entries(options.jobs)) writeFileSync(join(jobsDir, `${name}.yaml`), text)
  const database = building.use(await createTestDatabase())
  const scripts = Object.fromEntries(Object.entries(options.scripts ?? {}).map(([model, text]) => [model, script(text)]))
  const redis = options.redisUrl === undefined ? {} : { redisUrl: options.redisUrl }
  const world = building.use(
    await startWorld({
      ...options,
      dir,
      jobsDir,
      scripts,
      config: { databaseUrl: database.url, log: { level: 'debug' }, ...redis, ...options.config },
    }),
  )
  const log: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      log.push(String(chunk))
      done()
    },
  })
  const watch = watchProgress()
  const { progress } = watch
  const readConfig = () => loadConfig({ file: world.configFile, env: {} })
  const config = readConfig()
  const open = () =>
    createApp({
      config,
      readConfig,
      log: pino({ level: 'debug' }, stream),
      onProgress: (one) => watch.onProgress(one),
      queuePrefix: basename(dir),
    })
  const app = building.use(await open())
  if (app.jobs.issues().length > 0) throw new Error(app.jobs.issues().join('\n'))
  const stack = building.move()

  function write(name: string, input?: unknown): Promise<string> {
    const job = app.jobs.jobs().get(name)
    if (!job) throw new Error(`no job ${name}`)
    return createRun(app.db, job, { trigger: { kind: 'cli' }, input })
  }

  async function queue(name: string, input?: unknown): Promise<string> {
    const id = await write(name, input)
    await app.producer.wake([firstWake(id)])
    return id
  }

  const reached = (runId: string, events: readonly Progress['event'][]) => watch.reached(app.db, runId, events)
  const ended = (runId: string) => reached(runId, ['finished', 'waiting'])

  return {
    world,
    database,
    app,
    dir,
    log,
    progress,
    replica: async () => stack.use(await open()),
    write,
    queue,
    ended,
    finished: (runId) => reached(runId, ['finished']),
    async run(name, input) {
      await app.worker.start()
      return ended(await queue(name, input))
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
