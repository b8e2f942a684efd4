import type pg from 'pg'
import { PRIORITIES, type Priority, type Trigger, type Tags } from '../../core/run.ts'
import { query, type Db } from '../postgres/db.ts'

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

/** A run, and the definition of its job that it keeps. */
export interface Inserted {
  run: NewRun
  definition: unknown
}

/** A column of `runs`, the type of what it is given, and what that is. */
const COLUMNS: readonly (readonly [column: string, type: string, value: (run: NewRun) => unknown])[] = [
  ['id', 'text', ({ id }) => id],
  ['job', 'text', ({ job }) => job],
  ['job_version', 'text', ({ jobVersion }) => jobVersion],
  ['account', 'text', ({ account }) => account],
  ['trigger', 'json', ({ trigger }) => JSON.stringify(trigger)],
  ['input', 'json', ({ input }) => JSON.stringify(input)],
  ['retry_of', 'text', ({ retryOf }) => retryOf],
  ['after_run', 'text', ({ afterRun }) => afterRun],
  ['requested_by', 'text', ({ requestedBy }) => requestedBy],
  ['priority', 'int', ({ priority }) => PRIORITIES[priority ?? 'normal']],
  ['next_attempt_at', 'timestamptz', ({ startAt }) => startAt?.toISOString()],
  ['expire_at', 'timestamptz', ({ expireAt }) => expireAt?.toISOString()],
  ['tags', 'jsonb', ({ tags }) => tags && JSON.stringify(tags)],
]
const NAMES = COLUMNS.map(([name]) => name)
/** Keeps the definitions of jobs ($1) under their versions ($2). In one order, so that two who keep the same new ones do not wait for each other. */
export const KEEP_VERSIONS = `insert into job_versions (job, version, definition)
  select * from unnest($1::text[], $2::text[], $3::json[]) as v (job, version, definition) order by job, version on conflict do nothing`
const INSERT = `with version as (${KEEP_VERSIONS})
  insert into runs (status, ${NAMES.join(', ')})
  select 'queued', ${NAMES.map((name) => (name === 'tags' ? "coalesce(tags, (select tags from runs where id = g.retry_of), '{}')" : name)).join(', ')}
  from unnest(${COLUMNS.map(([, type], at) => `$${at + 4}::${type}[]`).join(', ')}) as g (${NAMES.join(', ')})`

/** Keeps the definitions of jobs under their digests, and inserts the runs, all or none: one statement, so a run never lacks its definition. */
export async function insertRuns(db: Db | pg.PoolClient, inserted: readonly Inserted[]): Promise<void> {
  const versions = [...new Map(inserted.map((one) => [`${one.run.job} ${one.run.jobVersion}`, one])).values()]
  await query(
    db,
    INSERT,
    [
      versions.map(({ run }) => run.job),
      versions.map(({ run }) => run.jobVersion),
      versions.map(({ definition }) => JSON.stringify(definition)),
      ...COLUMNS.map(([, , value]) => inserted.map(({ run }) => value(run) ?? null)),
    ],
    'insert runs',
  )
}

/** The same of one run. */
export const insertRun = (db: Db | pg.PoolClient, run: NewRun, definition: unknown): Promise<void> => insertRuns(db, [{ run, definition }])
