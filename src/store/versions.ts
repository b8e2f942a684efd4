import type pg from 'pg'
import { inBatches } from './batches.ts'
import { query, slowQuery, transaction, type Db } from './postgres/db.ts'
import { isLockTimeout } from './postgres/faults.ts'

/** Whoever inserts a run waits for as long, at most, while versions are removed. */
const LOCK_MS = 50

interface Version {
  job: string
  version: string
}

/**
 * A version that no run is of and no attempt was of. That of another job with the same digest may keep it. The next one in the order of the index is asked for: where
 * most rows are of one version, Postgres looks for an equal one by walking all of them.
 */
const UNNAMED = `(select r.job_version from runs r where r.job = v.job and r.job_version >= v.version order by r.job_version limit 1)
    is distinct from v.version
  and (select a.job_version from attempts a where a.job_version >= v.version order by a.job_version limit 1) is distinct from v.version`

/** Removes definitions of jobs that no run names any more. The next run of a job brings its definition along. */
export async function removeVersions(db: Db, signal?: AbortSignal): Promise<void> {
  await inBatches(async (most) => {
    const unnamed = await slowQuery<Version & { job: string }>(
      db,
      `select v.job, v.version from job_versions v where ${UNNAMED} order by v.job, v.version limit $1`,
      [most],
    )
    if (unnamed.length === 0) return 0
    return transaction(db, (client) => remove(client, unnamed)).catch((error: unknown) => {
      // Whoever inserts runs goes first; the next round tries again.
      if (isLockTimeout(error)) return 0
      throw error
    })
  }, signal)
}

/** Nobody inserts a run meanwhile, which could be of a version that is just found to have none. */
async function remove(client: pg.PoolClient, versions: readonly Version[]): Promise<number> {
  await query(client, `set local lock_timeout = ${LOCK_MS}`)
  await query(client, 'lock table job_versions in share row exclusive mode')
  const removed = await query(
    client,
    `delete from job_versions v using unnest($1::text[], $2::text[]) as n (job, version)
     where v.job = n.job and v.version = n.version and ${UNNAMED} returning 1`,
    [versions.map(({ job }) => job), versions.map(({ version }) => version)],
  )
  return removed.length
}
