import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GenericContainer } from 'testcontainers'
import type { TestProject } from 'vitest/node'
import { environment } from '../../src/config/environment.ts'
import { startEmbeddedPostgres } from '../../src/store/postgres/embedded/server.ts'
import { hasRedisServer, spawnRedis } from './app/outage.ts'
import { letMakeDatabases } from './database/superuser.ts'
import { makeTemplate } from './database/template.ts'
import { freePort } from './net/listen.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A Postgres that all tests share, each with a database of its own. */
    postgresUrl: string
    /** Null: there is no Redis on this machine, and the tests that need one are skipped. */
    redisUrl: string | null
  }
}

/** Starts what all tests share: an embedded Postgres with a migrated template, and a Redis where one can be had. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stack = new AsyncDisposableStack()
  const dir = mkdtempSync(join(quickDir(), 'nightshift-test-'))
  chmodSync(dir, 0o711)
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  const postgres = await startEmbeddedPostgres({ dir: join(dir, 'postgres'), ephemeral: true })
  stack.defer(() => postgres.stop())
  await letMakeDatabases(join(dir, 'postgres'), postgres.url)
  project.provide('postgresUrl', postgres.url)
  await makeTemplate(postgres.url)
  const redisUrl = await findRedis(stack)
  project.provide('redisUrl', redisUrl)
  if (redisUrl === null && environment['NIGHTSHIFT_TEST_REDIS'] === 'required') {
    await stack.disposeAsync()
    throw new Error('NIGHTSHIFT_TEST_REDIS=required, and there is no Redis: set REDIS_URL, install redis-server, or start a Docker engine.')
  }
  return async () => {
    await stack.disposeAsync()
    if (redisUrl === null) {
      process.stderr.write(
        '\n*** SKIPPED: the tests on Redis. Set REDIS_URL, install redis-server, or start a Docker engine, then run npm test again. ***\n',
      )
    }
  }
}

const MEMORY = '/dev/shm'
const LEAST_BYTES = 3 * 1024 ** 3

/** A directory in memory, where there is room for it: a test's database is then made in a seventh of the time. */
function quickDir(): string {
  try {
    accessSync(MEMORY, constants.W_OK)
    const { bavail, bsize } = statfsSync(MEMORY)
    return bavail * bsize < LEAST_BYTES ? tmpdir() : MEMORY
  } catch {
    return tmpdir()
  }
}

/** `REDIS_URL`, a redis-server on the PATH, or a container; in this order. */
async function findRedis(stack: AsyncDisposableStack): Promise<string | null> {
  const given = environment['REDIS_URL']
  if (given !== undefined && given !== '') return given
  if (hasRedisServer()) return startRedisServer(stack)
  if (spawnSync('docker', ['info']).status !== 0) return null
  const container = await new GenericContainer('redis:7').withExposedPorts(6379).start()
  stack.defer(async () => void (await container.stop()))
  return `redis://${container.getHost()}:${container.getMappedPort(6379)}`
}

async function startRedisServer(stack: AsyncDisposableStack): Promise<string> {
  const port = await freePort()
  const { started: server, isReady } = spawnRedis(port, ['--dir', tmpdir()])
  stack.defer(async () => {
    server.kill('SIGTERM')
    if (server.exitCode === null) await once(server, 'exit')
  })
  await isReady
  return `redis://127.0.0.1:${port}`
}
