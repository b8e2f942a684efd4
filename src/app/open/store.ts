import { join } from 'node:path'
import type { Config } from '../../config/load.ts'
import { hasData, startEmbeddedPostgres } from '../../store/postgres/embedded/server.ts'
import { openDb, type Db } from '../../store/postgres/db.ts'
import { migrate } from '../../store/postgres/migrate.ts'
import { poolSize } from './connections.ts'

/** Where the store is, and as what it is opened: without `worker` no run is done. */
type Opened = Pick<Config, 'databaseUrl' | 'dataDir'> & Partial<Pick<Config, 'worker'>>

const embeddedDir = (dataDir: string) => join(dataDir, 'postgres')

/** The store would be the embedded one, and there is none yet: to open it makes it. */
export const isNewStore = ({ databaseUrl, dataDir }: Pick<Opened, 'databaseUrl' | 'dataDir'>): boolean =>
  databaseUrl === undefined && !hasData(embeddedDir(dataDir))

/** Opens the store alone, migrated: what commands that only read need. */
export async function openStore(
  config: Opened,
  stack: AsyncDisposableStack,
  options: { ephemeral?: boolean | undefined } = {},
): Promise<{ db: Db; url: string }> {
  let url = config.databaseUrl
  if (url === undefined) {
    const embedded = await startEmbeddedPostgres({ dir: embeddedDir(config.dataDir), ephemeral: options.ephemeral ?? false })
    stack.defer(() => embedded.stop())
    url = embedded.url
  }
  const db = openDb({ url, max: poolSize(config) })
  stack.defer(() => db.end())
  await migrate(db)
  return { db, url }
}
