import { query, type Db } from './db.ts'

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
