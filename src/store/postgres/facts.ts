import { query, transaction, type Db } from './db.ts'

export interface ServerFacts {
  /** Of Postgres. */
  version: string
  /** The latest migration that was done. */
  migration: number
  now: Date
  /** Most connections that the role may have to this database, all processes together. */
  connections: number
}

/** What the server says of itself. */
export async function loadServerFacts(db: Db): Promise<ServerFacts | undefined> {
  const [row] = await query<ServerFacts & { version: string }>(
    db,
    `select split_part(current_setting('server_version'), ' ', 1) as version,
       (select max(version) from migrations)::int as migration, clock_timestamp() as now,
       (select least(nullif(r.rolconnlimit, -1), nullif(d.datconnlimit, -1),
          current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int)
        from pg_roles r, pg_database d where r.rolname = current_user and d.datname = current_database()) as connections`,
  )
  return row
}

/** The time by the clock of the store, in ms since 1970. */
export async function loadTime(db: Db): Promise<number> {
  const [row] = await query<{ ms: number }>(db, 'select extract(epoch from clock_timestamp())::float8 * 1000 as ms')
  return row?.ms ?? Number.NaN
}

class Undo extends Error {}

/** Writes a row, one of its own so that nobody waits for another who asks, and takes it back: what a replica, a full disk or missing rights refuse is thrown as it would be of a run. */
export async function tryWrite(db: Db): Promise<void> {
  try {
    await transaction(db, async (client) => {
      await query(client, "insert into pauses (job, reason, paused_by) values ('asked ' || gen_random_uuid(), '', '')")
      throw new Undo('taken back')
    })
  } catch (error) {
    if (!(error instanceof Undo)) throw error
  }
}
