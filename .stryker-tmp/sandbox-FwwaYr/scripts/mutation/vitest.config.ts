// @ts-nocheck
import { defineConfig } from 'vitest/config'

/** What Stryker runs: the tests of the rules and of what they rest on, and no other, so that each file dies by its own tests. */
export default defineConfig({
  test: {
    include: ['test/core/**/*.test.ts', 'test/lib/{deadline,poll,redact,text}.test.ts', 'test/schedules/cron.test.ts'],
    pool: 'forks',
    isolate: false,
  },
})
