import { expect, test } from 'vitest'
import { createLimitWarnings } from '../../src/agent/state.ts'
import { buildTestApp } from '../support/app/test-app.ts'

const limits = { turns: 10, toolCalls: 0, tokens: undefined, costUsd: 1 }
const used = { turns: 0, toolCalls: 0, tokens: 0, costUsd: 0 }

test('each limit warns once, when 80 % of it are used, and not where there is none', () => {
  const warned: string[] = []
  const look = createLimitWarnings({ limits, warn: (text) => warned.push(text) })
  look({ ...used, turns: 7, tokens: 1_000_000, costUsd: 0.79 })
  expect(warned).toEqual([])
  look({ ...used, turns: 8, toolCalls: 5 })
  expect(warned).toEqual(['More than 80 % of limits.turns (10) are used.'])
  look({ ...used, turns: 9, costUsd: 3 })
  look({ ...used, turns: 10, costUsd: 4 })
  expect(warned.slice(1)).toEqual(['More than 80 % of limits.costUsd (1) are used.'])
})

const job = (given: string) => `
account: reports
model: { provider: openai, name: scripted }
prompt: Do it.
tools:
  labor: { allow: [query], repeatable: [query] }
limits: ${given}
`

const call = (n: number) => `call labor__query {"sql": "select ${n}"}\n`
const script = (calls: number) => `${Array.from({ length: calls }, (_, n) => call(n)).join('')}say done`

test.each([
  { limits: '{ turns: 10 }', calls: 9, warns: ['limits.turns (10)'] },
  { limits: '{ turns: 10 }', calls: 5, warns: [] },
  { limits: '{ toolCalls: 5 }', calls: 5, warns: ['limits.toolCalls (5)'] },
  { limits: '{ tokens: 2000 }', calls: 12, warns: ['limits.tokens (2000)'] },
])('a run with $limits and $calls calls warns in the log of $warns, once, with the run', async ({ limits: given, calls, warns }) => {
  await using testApp = await buildTestApp({ jobs: { report: job(given) }, scripts: { scripted: script(calls) } })
  const { id } = await testApp.run('report')
  const lines = testApp.log.filter((line) => line.includes('80 %'))
  expect(lines).toHaveLength(warns.length)
  for (const [i, what] of warns.entries()) {
    expect(lines[i]).toContain(`More than 80 % of ${what} are used.`)
    expect(lines[i]).toContain(`"runId":"${id}"`)
    expect(lines[i]).toContain('"level":40')
  }
})
