import { join } from 'node:path'
import type { Config } from '../../config/load.ts'
import { startEmbeddedPostgres } from '../../store/postgres/embedded/server.ts'
import { openDb, type Db } from '../../store/postgres/db.ts'
import { migrate } from '../../store/postgres/migrate.ts'

const SPARE_CONNECTIONS = 6
const MAX_CONNECTIONS = 20

/** Where the store is, and as what it is opened: without `worker` no run is done. */
type Opened = Pick<Config, 'databaseUrl' | 'dataDir'> & Partial<Pick<Config, 'worker'>>

/** Most connections of the pool of a process. */
const poolSize = ({ worker }: Pick<Opened, 'worker'>) => Math.min(MAX_CONNECTIONS, (worker?.concurrency ?? 0) + SPARE_CONNECTIONS)

/** The heartbeat and the watchdog have one each. */
const OWN_CONNECTIONS = 2
/** A queue in Postgres: pools of ten for the queue and for the worker, and one more of each for notices. */
const QUEUE_CONNECTIONS = 22

/** Most connections to Postgres that a process opens. */
export const mostConnections = (config: Config) =>
  poolSize(config) + OWN_CONNECTIONS + (config.redisUrl === undefined ? QUEUE_CONNECTIONS : 0)

/** Opens the store alone, migrated: what commands that only read need. */
export async function openStore(
  config: Opened,
  stack: AsyncDisposableStack,
  options: { ephemeral?: boolean | undefined } = {},
): Promise<{ db: Db; url: string }> {
  let url = config.databaseUrl
  if (url === undefined) {
    const embedded = await startEmbeddedPostgres({ dir: join(config.dataDir, 'postgres'), ephemeral: options.ephemeral ?? false })
    stack.defer(() => embedded.stop())
    url = embedded.url
  }
  const db = openDb({ url, max: poolSize(config) })
  stack.defer(() => db.end())
  await migrate(db)
  return { db, url }
}
