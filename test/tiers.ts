import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

/**
 * The tier of a test file, in this order:
 *
 * 1. `system`: what is listed here. It builds or installs something, starts processes of its own, takes servers away, or repeats itself many times.
 * 2. `machine`: what is under test/machine. It installs the package on machines of other kinds, from the registry.
 * 3. `integration`: what imports, directly or not, the app or the tests' database.
 * 4. `unit`: all else.
 */
const SYSTEM = [
  'test/api/client.test.ts',
  'test/api/lint.test.ts',
  'test/api/outage.test.ts',
  'test/api/service.test.ts',
  'test/app/backup/backup.test.ts',
  'test/app/watchdog/thread.test.ts',
  'test/audit/evidence/columns.test.ts',
  'test/audit/evidence/every-byte.test.ts',
  'test/audit/evidence/honest.test.ts',
  'test/audit/evidence/outside.test.ts',
  'test/audit/live.test.ts',
  'test/audit/load.test.ts',
  'test/audit/log/rotated.test.ts',
  'test/canary/canary.test.ts',
  'test/chaos/chaos.test.ts',
  'test/chaos/mixed.test.ts',
  'test/chaos/upgrade.test.ts',
  'test/cli/bin.test.ts',
  'test/cli/interrupt.test.ts',
  'test/cli/commands/dev/dev.test.ts',
  'test/cli/commands/runs/follow.test.ts',
  'test/cli/commands/service/replaced-config.test.ts',
  'test/cli/commands/service/start-ends.test.ts',
  'test/cli/commands/service/status-frozen.test.ts',
  'test/cli/commands/setup/demo.test.ts',
  'test/cli/commands/eval/eval.test.ts',
  'test/conformance/conformance.test.ts',
  'test/eval/characters.test.ts',
  'test/faults/faults.test.ts',
  'test/faults/silence/silence.test.ts',
  'test/fuzz/fuzz.test.ts',
  'test/hostile/hostile.test.ts',
  'test/minter/secret.test.ts',
  'test/package.test.ts',
  'test/providers/providers.test.ts',
  'test/queue/outages/blocked-worker.test.ts',
  'test/queue/outages/frozen-redis.test.ts',
  'test/queue/outages/frozen-worker.test.ts',
  'test/queue/holds.test.ts',
  'test/queue/redis-servers.test.ts',
  'test/queue/replicas.test.ts',
  'test/queue/outages/worker-outage.test.ts',
  'test/runs/gateway-down.test.ts',
  'test/runs/large-table.test.ts',
  'test/store/postgres/embedded/cluster.test.ts',
  'test/store/postgres/embedded/neighbours.test.ts',
  'test/store/postgres/embedded/server.test.ts',
  'test/store/plans.test.ts',
  'test/store/postgres/migrate.test.ts',
  'test/store/postgres/migrate-load.test.ts',
  'test/store/runs/storm.test.ts',
]

const NEEDS_SERVERS = ['src/app/', 'test/support/database/database.ts']

export type Tier = 'unit' | 'integration' | 'system' | 'machine'

/** All test files by tier, as paths from the root. */
export function sortByTier(): Record<Tier, string[]> {
  const tiers: Record<Tier, string[]> = { unit: [], integration: [], system: [], machine: [] }
  const missing = SYSTEM.filter((file) => !existsSync(join(ROOT, file)))
  if (missing.length > 0) throw new Error(`test/tiers.ts lists what is not there: ${missing.join(', ')}`)
  for (const file of globSync('test/**/*.test.ts', { cwd: ROOT }).toSorted()) tiers[tierOf(file)].push(file)
  return tiers
}

function tierOf(file: string): Tier {
  if (SYSTEM.includes(file)) return 'system'
  if (file.startsWith('test/machine/')) return 'machine'
  return [...reachedFrom(file)].some((one) => NEEDS_SERVERS.some((part) => one.startsWith(part))) ? 'integration' : 'unit'
}

/** A file and all of ours that it imports, also for a type alone. */
function reachedFrom(file: string): Set<string> {
  const reached = new Set([file])
  for (const one of reached) for (const next of importsOf(one)) reached.add(next)
  return reached
}

const known = new Map<string, string[]>()

function importsOf(file: string): string[] {
  const found =
    known.get(file) ??
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+\.ts)'/g)]
      .map((match) => relative(ROOT, join(ROOT, dirname(file), match[1] ?? '')))
      .filter((one) => existsSync(join(ROOT, one)))
  known.set(file, found)
  return found
}
