import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { hasRedisServer, spawnRedis } from '../../../support/app/outage.ts'
import { edit, examine, insertLines, openSetup, troubles } from '../../../support/cli/doctor.ts'
import { freePort } from '../../../support/net/listen.ts'

describe.skipIf(!hasRedisServer())('Redis', () => {
  test('a Redis that may evict entries, or loses them at a restart, is found', async () => {
    const port = await freePort()
    const { started: redis, isReady } = spawnRedis(port, ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru', '--maxmemory', '64mb'])
    try {
      await isReady
      await using setup = await openSetup()
      await insertLines(setup)
      edit(setup, /databaseUrl:/, `redisUrl: redis://127.0.0.1:${port}\ndatabaseUrl:`)
      const { code, findings } = await examine(setup)
      expect(troubles(findings)).toEqual([
        { check: 'eviction', status: 'failed', message: expect.stringContaining('allkeys-lru'), cure: 'Set it to noeviction.' },
        {
          check: 'persistence',
          status: 'warning',
          message: expect.stringContaining('appendonly is no'),
          cure: expect.stringContaining('appendonly yes'),
        },
      ])
      expect(code).toBe(1)
    } finally {
      redis.kill('SIGTERM')
      if (redis.exitCode === null) await once(redis, 'exit')
    }
  })
})
