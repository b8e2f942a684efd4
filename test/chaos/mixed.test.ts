import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runChaos } from './chaos.ts'
import { expectZeros } from './expect-zeros.ts'
import { RELEASE, unpackRelease } from './release.ts'

test(
  'a deploy process by process from the release before: no run is lost, done twice, or failed for lack of knowledge',
  { timeout: 240_000 },
  async (context) => {
    const dir = mkdtempSync(join(tmpdir(), 'nightshift-release-'))
    context.onTestFinished(() => rmSync(dir, { recursive: true }))
    const from = unpackRelease(dir, RELEASE)
    if (from === undefined) return context.skip('the history of this checkout does not reach back to it')
    const said: string[] = []
    const report = await runChaos({
      runs: 20,
      kills: 4,
      seed: 3,
      queue: 'postgres',
      from,
      patienceMs: 90_000,
      say: (line) => void said.push(line),
    })
    expectZeros(report, said)
    // A kill may leave an outcome unknown. Nothing else ends badly.
    const { succeeded = 0, 'failed OUTCOME_UNKNOWN': unknown = 0 } = report.endings
    expect(succeeded + unknown, JSON.stringify(report.endings)).toBe(20)
    expect(succeeded).toBeGreaterThan(10)
  },
)
