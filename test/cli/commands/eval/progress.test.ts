import { createColors } from 'picocolors'
import { expect, test } from 'vitest'
import { estimateText, runLog } from '../../../../src/cli/commands/eval/progress.ts'
import type { Estimate } from '../../../../src/eval/estimate.ts'

const estimate: Estimate = {
  job: 'report',
  arms: [{ name: 'job', cases: 16, models: ['openai/small'] }],
  times: 5,
  runs: 80,
  limitsUsd: 4,
  maxUsd: undefined,
  unlimited: [],
  unpriced: [],
  writes: [],
  deadline: '10m',
}
const textOf = (more: Partial<Estimate>) => estimateText({ ...estimate, ...more }, { colors: createColors(false) })

test('the estimate names runs, arms and models, what they may cost, and what ends them', () => {
  expect(textOf({ writes: ['real'], unpriced: ['local/qwen'] })).toBe(`report: 80 runs, each case 5 times
arm  cases  model
job     16  openai/small
It costs at most 4.00 USD: limits.costUsd of all runs together.
Without a price under prices:, so that their cost is not known: local/qwen.
Calls that may change something are really made in real; in other cases they are refused.
An attempt ends after 10m at the latest (limits.deadline). Ctrl-C ends it all, and what is done by then is reported.
`)
})

test.each<[Partial<Estimate>, string | undefined]>([
  [{ maxUsd: 3 }, 'It stops at 3.00 USD (--max-cost); the answers under way then can be over it.'],
  [{ maxUsd: 9 }, 'It costs at most 4.00 USD: limits.costUsd of all runs together.'],
  [{ limitsUsd: undefined, maxUsd: 9 }, 'It stops at 9.00 USD (--max-cost); the answers under way then can be over it.'],
  [
    { limitsUsd: undefined, unlimited: ['openai/small'] },
    'Its cost has no limit: set --max-cost, or limits.costUsd in the job, for openai/small.',
  ],
  [{ limitsUsd: 0 }, undefined],
])('%j', (more, said) => {
  expect(
    textOf(more)
      .split('\n')
      .find((line) => line.startsWith('It')),
  ).toBe(said)
})

test('the log of the runs says once what is not there, faults as they are, and nothing of what a run says with its end', () => {
  const lines: string[] = []
  const log = runLog({ err: (line) => lines.push(line) })
  for (const runId of ['1', '2']) log.child({ runId }).warn({ notes: ['Pomerium lists no MCP route hr'] }, 'Something is not there.')
  log.warn({ code: 'MODEL_NOT_FOUND' }, 'Attempt failed.')
  log.error({ stack: 'at x' }, 'A fault of Nightshift itself.')
  expect(lines).toEqual(['note: Pomerium lists no MCP route hr', expect.stringContaining('"stack":"at x"')])
})
