import { expect, test } from 'vitest'
import { hasRedisServer } from '../support/app/outage.ts'
import { runChaos } from './chaos.ts'
import { expectZeros } from './expect-zeros.ts'

/** Both queues in turn: npm run chaos -- --queue postgres. */
const queue = hasRedisServer() ? 'redis' : 'postgres'

test(
  `24 runs on three workers, queue in ${queue}: nothing is lost or repeated while workers and stores are killed`,
  { timeout: 180_000 },
  async () => {
    const said: string[] = []
    const report = await runChaos({ runs: 24, kills: 5, seed: 7, queue, patienceMs: 60_000, say: (line) => void said.push(line) })
    expectZeros(report, said)
    expect(report.kills).toBe(5)
    expect(Object.keys(report.own)).toEqual(['nightshift__find_tools', 'nightshift__read', 'wait'])
    // What ended otherwise proves little: most of them go on to their end.
    expect(report.endings['succeeded']).toBeGreaterThan(10)
  },
)
