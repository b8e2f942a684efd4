import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { sortByTier } from './test/tiers.ts'

/** Files that take longest start first, or the others are done long before them. */
const SLOW = [
  'test/faults/',
  'test/package',
  'test/chaos/',
  'test/cli/commands/setup/demo',
  'test/store/postgres/embedded',
  'test/audit/',
  'test/cli/',
]

class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = SLOW.findIndex((part) => moduleId.includes(part))
      return at === -1 ? SLOW.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

// Half of the time that a process needs to start is compilation: those of the tests, and those that they start, share what was compiled.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'compiled')

/** What the tests write lies in a directory of this run: nothing is met that another run, or another user, has left. */
function openPlace(): void {
  if (process.env['NIGHTSHIFT_TEST_PLACE'] !== undefined) return
  const place = mkdtempSync(join(tmpdir(), 'nightshift-tests-'))
  // As /tmp is: programs that a test starts as another user write there too.
  chmodSync(place, 0o1777)
  process.env['NIGHTSHIFT_TEST_PLACE'] = place
  process.env['TMPDIR'] = place
  process.on('exit', () => rmSync(place, { recursive: true, force: true }))
}
openPlace()

const tiers = sortByTier()
/** What starts many processes has time, also on a machine that does other work. */
const patient = { testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: { interval: 50, timeout: 150_000 } } }
const servers = ['test/support/global-setup.ts']

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Nothing timed is asserted: what does not come in time fails by the time-out of its test.
    expect: { poll: { interval: 20, timeout: 50_000 } },
    pool: 'forks',
    // Most tests wait for servers, so more of them run than there are cores.
    maxWorkers: 3,
    sequence: { sequencer: SlowFirst },
    coverage: { provider: 'v8', include: ['src/**/*.ts'] },
    projects: [
      // Most of what a file costs is what it imports: a process takes many files, and imports it once.
      { extends: true, test: { name: 'unit', include: tiers.unit, isolate: false } },
      { extends: true, test: { name: 'integration', include: tiers.integration, isolate: false, globalSetup: servers } },
      { extends: true, test: { ...patient, name: 'system', include: tiers.system, globalSetup: servers } },
      { extends: true, test: { ...patient, name: 'machine', include: tiers.machine, globalSetup: servers } },
    ],
  },
})
