// @ts-nocheck
import { expect, test } from 'vitest'
import { runScenario, SCENARIOS } from './conformance.ts'

const DOES = { pass: 'passes', refuse: 'is refused with -32601' }

for (const scenario of SCENARIOS) {
  test(`the MCP project's client scenario ${scenario.name} ${DOES[scenario.expected]}`, { timeout: 60_000 }, async () => {
    expect(await runScenario(scenario)).toMatchObject({ asExpected: true })
  })
}
