import type pg from 'pg'
import { PRIORITIES, type Priority, type Trigger, type Tags } from '../../core/run.ts'
import { query, type Db } from '../postgres/db.ts'
import { createParameters } from '../postgres/parameters.ts'

export interface NewRun {
  id: string
  job: string
  jobVersion: string
  account: string
  trigger: Trigger
  input: unknown
  retryOf?: string | undefined
  /** Who asked: a user of Pomerium, an API token, a user of this machine. */
  requestedBy?: string | undefined
  /** Undefined: those of the run that it retries, if it does. */
  tags?: Tags | undefined
  priority?: Priority | undefined
  startAt?: Date | undefined
  expireAt?: Date | undefined
  /** The run that must be over before this one starts. */
  afterRun?: string | undefined
}

/** Keeps a job's definition under its digest, and inserts the run: one statement, so a run never lacks its definition. */
export async function insertRun(db: Db | pg.PoolClient, run: NewRun, definition: unknown): Promise<void> {
  const { add, values } = createParameters()
  const job = add(run.job)
  const jobVersion = add(run.jobVersion)
  const retryOf = add(run.retryOf ?? null)
  const columns = {
    id: add(run.id),
    job,
    job_version: jobVersion,
    status: "'queued'",
    account: add(run.account),
    trigger: add(JSON.stringify(run.trigger)),
    input: add(JSON.stringify(run.input)),
    retry_of: retryOf,
    after_run: add(run.afterRun ?? null),
    requested_by: add(run.requestedBy ?? null),
    tags: `coalesce(${add(run.tags ? JSON.stringify(run.tags) : null)}::jsonb, (select tags from runs where id = ${retryOf}), '{}')`,
    priority: add(PRIORITIES[run.priority ?? 'normal']),
    next_attempt_at: add(run.startAt ?? null),
    expire_at: add(run.expireAt ?? null),
  }
  await query(
    db,
    `with version as (
       insert into job_versions (job, version, definition)
       values (${job}, ${jobVersion}, ${add(JSON.stringify(definition))}) on conflict do nothing)
     insert into runs (${Object.keys(columns).join(', ')}) values (${Object.values(columns).join(', ')})`,
    values,
    'insert run',
  )
}
