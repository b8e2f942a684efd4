import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { runChaos } from './chaos.ts'

const hasRedis = spawnSync('redis-server', ['--version']).status === 0
const NOTHING = { lost: 0, repeatedSideEffects: 0, stuck: 0, wronglyGreen: 0 }

for (const queue of ['redis', 'postgres'] as const) {
  describe.skipIf(queue === 'redis' && !hasRedis)(`20 runs on three workers, queue in ${queue}`, () => {
    test('lose nothing and repeat nothing while workers and stores are killed', { timeout: 120_000 }, async () => {
      const said: string[] = []
      const report = await runChaos({ runs: 20, kills: 5, seed: 7, queue, patienceMs: 60_000, say: (line) => void said.push(line) })
      expect(report.faults, [...report.about, ...said].join('\n')).toEqual(NOTHING)
      expect(report.kills).toBe(5)
      // What ended otherwise proves little: most of them go on to their end.
      expect(report.endings['succeeded']).toBeGreaterThan(10)
    })
  })
}
