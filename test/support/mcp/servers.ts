import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { environment } from '../../../src/config/environment.ts'
import { startEmbeddedPostgres } from '../../../src/store/postgres/embedded/server.ts'
import { letMakeDatabases } from '../database/superuser.ts'
import { freePort } from '../net/listen.ts'
import { hasRedisServer, startOwnRedis } from '../app/outage.ts'
import type { FaultBenchUrls } from '../app/fault-bench.ts'

/** The servers that fault benches need, for programs that run without the test runner: an embedded Postgres, and a Redis where one can be had. */
export async function startServers(stack: AsyncDisposableStack): Promise<{ postgresUrl: string; redisUrl: FaultBenchUrls['redisUrl'] }> {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-servers-'))
  chmodSync(dir, 0o711)
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  const postgres = await startEmbeddedPostgres({ dir: join(dir, 'postgres'), ephemeral: true })
  stack.defer(() => postgres.stop())
  await letMakeDatabases(join(dir, 'postgres'), postgres.url)
  const given = environment['REDIS_URL']
  if (given !== undefined && given !== '') return { postgresUrl: postgres.url, redisUrl: given }
  if (!hasRedisServer()) return { postgresUrl: postgres.url, redisUrl: undefined }
  const redisDir = join(dir, 'redis')
  mkdirSync(redisDir)
  const redis = stack.use(await startOwnRedis(redisDir, await freePort()))
  return { postgresUrl: postgres.url, redisUrl: redis.url }
}
