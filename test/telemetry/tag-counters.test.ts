import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { addTagCounters } from '../../src/telemetry/tag-counters.ts'

test('a tag of any values makes a bounded number of series', async () => {
  const registry = new Registry()
  const count = addTagCounters(registry, () => ['team'])
  for (let n = 0; n < 1000; n++) count({ outcome: 'succeeded', tags: { team: `t${n}`, other: 'x' }, costUsd: 0.5 })
  // One that is known stays so.
  count({ outcome: 'succeeded', tags: { team: 't0' }, costUsd: null })
  const lines = (await registry.metrics()).split('\n')
  expect(lines.filter((line) => line.startsWith('nightshift_tagged_runs_total{'))).toHaveLength(101)
  expect(lines).toContain('nightshift_tagged_runs_total{tag="team",value="t0",outcome="succeeded"} 2')
  expect(lines).toContain('nightshift_tagged_runs_total{tag="team",value="other",outcome="succeeded"} 900')
  expect(lines).toContain('nightshift_tagged_cost_usd_total{tag="team",value="t0"} 0.5')
})
