import { defineConfig } from 'vitest/config'
import { environment } from '../../src/config/environment.ts'

/** The variable in which `main.ts` names the test file that Stryker runs. */
export const TEST_VARIABLE = 'NIGHTSHIFT_MUTATION_TEST'

export default defineConfig({ test: { include: [environment[TEST_VARIABLE] ?? 'test/**/*.test.ts'], testTimeout: 60_000, pool: 'forks' } })
