import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/load.ts'
import type { Actor } from '../../core/acts.ts'
import { Failure } from '../../core/failure.ts'
import { loadStore } from '../../store/postgres/backup/load.ts'
import { withBackup } from '../../store/postgres/backup/open.ts'
import { openDb, type Db } from '../../store/postgres/db.ts'
import { startEmbeddedPostgres } from '../../store/postgres/embedded/server.ts'
import { loadServerFacts } from '../../store/postgres/facts.ts'
import { latestVersion, migrate } from '../../store/postgres/migrate.ts'
import { keyFiles } from './beside.ts'
import { ALL_JOBS } from '../../core/rules/schedules/pause.ts'
import { pauseJob } from '../../store/schedules/pauses.ts'

export interface RestoreOptions {
  config: Config
  file: string
  by: Actor
  signal: AbortSignal
}

export interface Restored {
  /** The moment of which it is, and the version of Nightshift that wrote it. */
  takenAt: string
  program: string
  runs: number
  /** Runs that were not over at that moment. */
  open: number
  /** Files of the key of evidence that are not here: without them, nothing is verified and nothing goes on being signed. */
  missing: string[]
}

/**
 * Puts a backup into the store of the configuration, which has to be empty, and brings it up to this version. Everything is paused afterwards: what was under way at the
 * moment of the backup may have gone on after it, and a person has to say what becomes of it. All of it is restored, or nothing.
 */
export async function restore({ config, file, by, signal }: RestoreOptions): Promise<Restored> {
  return withBackup(file, signal, async ({ head, ...backup }) => {
    if (head.schema > latestVersion())
      throw new Failure({
        code: 'STORE_TOO_NEW',
        message: `${file} is of version ${head.schema} of the store (Nightshift ${head.program}); this program knows versions up to ${latestVersion()}.`,
      })
    await using stack = new AsyncDisposableStack()
    let url = config.databaseUrl
    if (url === undefined) {
      const embedded = await startEmbeddedPostgres({ dir: join(config.dataDir, 'postgres') })
      stack.defer(() => embedded.stop())
      url = embedded.url
    }
    const db = openDb({ url, max: 2 })
    stack.defer(() => db.end())
    await bringTo(db, head.schema)
    signal.throwIfAborted()
    const reason = `restored from a backup of ${head.takenAt}: what was not over then may have gone on after it`
    const { rows, open } = await loadStore({ url, backup, pause: { reason, by: by.name } })
    await migrate(db)
    await pauseJob(db, ALL_JOBS, { ...by, reason })
    return {
      takenAt: head.takenAt,
      program: head.program,
      runs: rows['runs'] ?? 0,
      open,
      missing: keyFiles(config.evidence).filter((one) => !existsSync(one)),
    }
  })
}

/** Rows of a version fit into a store of that version alone. */
async function bringTo(db: Db, schema: number): Promise<void> {
  await migrate(db, { upTo: schema })
  const facts = await loadServerFacts(db)
  if (facts?.migration !== schema)
    throw new Failure({
      code: 'COMMAND_INVALID',
      message: `The store is at version ${facts?.migration} by now, and the backup is of version ${schema}.`,
      cure: 'Stop Nightshift, and move the directory postgres under dataDir away; or name an empty database with databaseUrl.',
    })
}
