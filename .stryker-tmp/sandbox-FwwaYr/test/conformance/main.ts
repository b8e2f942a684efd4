// @ts-nocheck
import { runScenario, SCENARIOS } from './conformance.ts'

// One by one: the scenarios measure time.
for (const scenario of SCENARIOS) {
  const { asExpected, why } = await runScenario(scenario)
  process.stdout.write(`${asExpected ? 'ok  ' : 'FAIL'}  ${scenario.name}: ${why}\n`)
  if (!asExpected) process.exitCode = 1
}
