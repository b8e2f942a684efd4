import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { TEST_VARIABLE } from './vitest.config.ts'

/** Every rule, and what a promise rests on beside them. `states.ts` is a table for people, which `test/queue/exits.test.ts` holds to the store. */
const RULES = [
  'src/core/rules/**/!(states).ts',
  'src/core/timeline.ts',
  'src/lib/{redact,text}.ts',
  'src/lib/time/{cron,deadline,poll,strftime}.ts',
]
/** The share of the changes to a file that its own test must notice, in percent. */
const LEAST_PERCENT = 90

/** Changes a file in each way that Stryker knows, and runs its own test against each. Returns the changes. */
function mutate(file: string, test: string) {
  // Stryker's own list of test files is not kept to for changes outside of functions.
  // oxlint-disable-next-line node/no-process-env -- the processes that Stryker starts inherit it
  process.env[TEST_VARIABLE] = test
  return new Stryker({
    mutate: [file],
    testRunner: 'vitest',
    vitest: { configFile: 'scripts/mutation/vitest.config.ts', related: false },
    // The sandbox has the layout of the repository: there is no path in a tsconfig to rewrite.
    tsconfigFile: 'none.json',
    ignorePatterns: ['/dist'],
    concurrency: 1,
    reporters: ['clear-text'],
    clearTextReporter: { logTests: false, reportTests: false, reportMutants: false, reportScoreTable: false },
  }).runMutationTest()
}

/** A file's own test; of a part of a promise, those of its folder. */
function testOf(file: string): string {
  const own = file.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts')
  const all = join(dirname(own), '*.test.ts')
  if (!existsSync(own) && globSync(all).length === 0) throw new Error(`${file} has no test: neither ${own} nor ${all}.`)
  return existsSync(own) ? own : all
}

type Change = Awaited<ReturnType<typeof mutate>>[number]

/** A change that no test noticed, so that it can be found in the file. */
function show({ fileName, location: { start }, replacement }: Change): string {
  const line = readFileSync(fileName, 'utf8').split('\n')[start.line - 1]?.trim() ?? ''
  return `  ${relative('.', fileName)}:${start.line}:${start.column}  ${line}\n    became  ${replacement ?? ''}\n`
}

// All rules, or the files that are named: npm run mutation -- src/core/rules/retry.ts
const { positionals } = parseArgs({ allowPositionals: true })
for (const file of globSync(positionals.length > 0 ? positionals : RULES).toSorted()) {
  const test = testOf(file)
  const changes = await mutate(file, test)
  const missed = changes.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
  const noticed = changes.filter(({ status }) => status === 'Killed' || status === 'Timeout').length
  const all = noticed + missed.length
  if (all === 0) continue
  const percent = (100 * noticed) / all
  process.stdout.write(`${percent.toFixed(1).padStart(5)} %  ${noticed} of ${all}  ${file}\n${missed.map(show).join('')}`)
  if (percent < LEAST_PERCENT) process.exitCode = 1
}
