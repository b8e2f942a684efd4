import { query, transaction, type Db } from './db.ts'

export interface ServerFacts {
  /** Of Postgres. */
  version: string
  /** The latest migration that was done. */
  migration: number
  now: Date
}

/** What the server says of itself. */
export async function loadServerFacts(db: Db): Promise<ServerFacts | undefined> {
  const [row] = await query<ServerFacts & { version: string }>(
    db,
    `select split_part(current_setting('server_version'), ' ', 1) as version,
       (select max(version) from migrations)::int as migration, clock_timestamp() as now`,
  )
  return row
}

class Undo extends Error {}

/** Writes a row and takes it back: what a replica, a full disk or missing rights refuse is thrown as it would be of a run. */
export async function tryWrite(db: Db): Promise<void> {
  try {
    await transaction(db, async (client) => {
      await query(client, "insert into pauses (job, reason, paused_by) values ('', '', '')")
      throw new Undo('taken back')
    })
  } catch (error) {
    if (!(error instanceof Undo)) throw error
  }
}
