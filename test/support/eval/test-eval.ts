import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { createRunResources, offerOf } from '../../../src/app/resources.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { startEvalWorld } from '../../../src/demo/eval-world.ts'
import type { World } from '../../../src/demo/world.ts'
import { parseArm } from '../../../src/eval/arms.ts'
import { evaluate, type Evaluated, type EvaluateOptions } from '../../../src/eval/evaluate.ts'
import type { EvalBench } from '../../../src/eval/trial.ts'
import { script } from '../../../src/demo/model/script.ts'
import type { Offer } from '../../../src/jobs/check.ts'
import { loadJobs } from '../../../src/jobs/directory.ts'
import type { Job } from '../../../src/jobs/job.ts'
import { createJournalWriter } from '../../../src/store/attempts/journal.ts'
import { createTestDatabase } from '../database/database.ts'

const JOBS = join(import.meta.dirname, '../../../jobs')

export interface TestEval extends AsyncDisposable {
  world: World
  dir: string
  bench: EvalBench
  offer: Offer
  jobs: ReadonlyMap<string, Job>
  /** Evaluates labor-report, or the job that is given. */
  evaluate(arms: readonly string[], more?: Partial<Omit<EvaluateOptions, 'job'>> & { job?: string }): Promise<Evaluated>
}

/** An evaluation over the tests' database, with the characters as models. */
export async function openTestEval(
  options: { api?: 'responses' | 'chat'; jobs?: Record<string, string>; scripts?: Record<string, string> } = {},
): Promise<TestEval> {
  await using building = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-test-eval-'))
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  const database = building.use(await createTestDatabase())
  const { api = 'responses' } = options
  const jobsDir = options.jobs ? writeFiles(dir, options.jobs) : JOBS
  const scripts = Object.fromEntries(Object.entries(options.scripts ?? {}).map(([model, text]) => [model, script(text)]))
  const world = building.use(await startEvalWorld({ dir, jobsDir, api, scripts, background: false, config: { databaseUrl: database.url } }))
  const config = loadConfig({ file: world.configFile, env: {} })
  const resources = createRunResources(config, building)
  const bench: EvalBench = { db: database.db, journal: createJournalWriter(database.db), resources, log: pino({ level: 'silent' }) }
  const offer = offerOf(config)
  const { jobs, issues } = loadJobs(jobsDir, offer)
  if (issues.length > 0) throw new Error(issues.join('\n'))
  const stack = building.move()
  return {
    world,
    dir,
    bench,
    offer,
    jobs,
    async evaluate(arms, { job: name = 'labor-report', ...more } = {}) {
      const job = jobs.get(name)
      if (!job) throw new Error(`there is no job ${name}`)
      const parsed = arms.map(parseArm)
      return evaluate(
        { bench, offer, job, arms: parsed, only: undefined, times: 1, maxUsd: undefined, concurrency: 4, ...more },
        new AbortController().signal,
      )
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Files by their name in a directory of job files. */
function writeFiles(dir: string, files: Record<string, string>): string {
  const jobsDir = join(dir, 'jobs')
  mkdirSync(jobsDir)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(jobsDir, name), text)
  return jobsDir
}
