import { pino } from 'pino'
import { loadConfiguredJobs } from '../../src/app/open/jobs.ts'
import { loadConfig } from '../../src/config/load.ts'
import { Failure } from '../../src/core/failure.ts'
import { firstWake } from '../../src/core/ports/wake.ts'
import { openQueueBackend } from '../../src/queue/backend.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { newRun } from '../../src/runs/create.ts'
import { openDb, query, type Db } from '../../src/store/postgres/db.ts'
import type { NewRun } from '../../src/store/runs/insert.ts'
import { until } from './until.ts'

/** What asks for runs of a configuration whose workers are other processes: its jobs, its store and its queue. All are closed with the stack. */
export async function openConfigured(configFile: string, stack: AsyncDisposableStack) {
  const config = loadConfig({ file: configFile, env: {} })
  const { jobs, issues } = loadConfiguredJobs(config)
  if (issues.length > 0) throw new Error(issues.join('\n'))
  const { redisUrl, databaseUrl } = config
  if (databaseUrl === undefined) throw new Error('the configuration names no databaseUrl')
  const db = stack.adopt(openDb({ url: databaseUrl }), (opened) => opened.end())
  const backend = stack.adopt(await openQueueBackend({ redisUrl, databaseUrl }), (opened) => opened.close())
  const queue = stack.adopt(await backend.queue(), (opened) => opened.close())
  const producer = createProducer(queue, pino({ level: 'silent' }))

  /** Asks for a run of a job, until the store has it, and returns its id. */
  async function askFor(name: string): Promise<string> {
    const job = jobs.get(name)
    if (!job) throw new Error(`no job ${name}`)
    const run = newRun(job, { trigger: { kind: 'cli' } })
    await until(() => insert(db, run, job.kept).then(() => true, isThere))
    producer.wakeSoon([firstWake(run.id)])
    return run.id
  }
  return { config, jobs, db, producer, askFor }
}

/** Into a store of whatever version: its workers may be of a release before this one, which nobody has migrated it from yet. */
const insert = (db: Db, { id, job, jobVersion, account, trigger, input }: NewRun, definition: unknown) =>
  query(
    db,
    `with version as (insert into job_versions (job, version, definition) values ($2, $3, $7) on conflict do nothing)
     insert into runs (id, job, job_version, status, account, trigger, input) values ($1, $2, $3, 'queued', $4, $5, $6)`,
    [id, job, jobVersion, account, JSON.stringify(trigger), JSON.stringify(input), JSON.stringify(definition)],
  )

/** True when the answer to an insert was lost with the store, and the run is there; false while the store is away. */
function isThere(error: unknown): boolean {
  if (error instanceof Failure && error.code === 'STORE_UNAVAILABLE') return false
  if (!(error instanceof Failure) && error instanceof Error && error.message.includes('duplicate key')) return true
  throw error
}
