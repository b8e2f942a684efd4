// @ts-nocheck
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { renderTable } from '../../src/cli/terminal/table.ts'

/** Every rule, and what a promise rests on beside them. */
const RULES = ['src/core/rules/*.ts', 'src/core/timeline.ts', 'src/lib/{deadline,poll,redact,text}.ts', 'src/schedules/cron.ts']
/** The share of changes to a file that its tests must notice, in percent. */
const LEAST_PERCENT = 90

// npm run mutation, or with files: npm run mutation -- src/core/rules/retry.ts
const { positionals } = parseArgs({ allowPositionals: true })
const mutants = await new Stryker({
  mutate: positionals.length > 0 ? positionals : RULES,
  testRunner: 'vitest',
  vitest: { configFile: 'scripts/mutation/vitest.config.ts', related: false },
  // There is nothing to rewrite in a tsconfig: the sandbox has the same layout.
  tsconfigFile: 'none.json',
  ignorePatterns: ['/dist', '/jobs', '/test/fixtures'],
  concurrency: 1,
  reporters: [],
}).runMutationTest()

/** A change that no test noticed, so that it can be found in the file. */
function show({ fileName, location: { start }, mutatorName, replacement }: (typeof mutants)[number]): string {
  const line = readFileSync(fileName, 'utf8').split('\n')[start.line - 1]?.trim() ?? ''
  return `${relative('.', fileName)}:${start.line}:${start.column} ${mutatorName}\n    ${line}\n    -> ${replacement}\n`
}

const noticed = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout')
const missed = mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
const percents = [...new Set(mutants.map(({ fileName }) => fileName))].toSorted().map((fileName) => {
  const [good, bad] = [noticed, missed].map((some) => some.filter((one) => one.fileName === fileName).length)
  return { fileName: relative('.', fileName), good, all: good + bad, percent: good + bad === 0 ? 100 : (100 * good) / (good + bad) }
})
process.stdout.write(missed.map(show).join(''))
process.stdout.write(
  `${renderTable(['file', 'changes', 'noticed', '%'], percents.map(({ fileName, good, all, percent }) => [fileName, String(all), String(good), percent.toFixed(1)]))}\n`,
)
if (percents.some(({ percent }) => percent < LEAST_PERCENT)) {
  process.stderr.write(`The tests of a file notice fewer than ${LEAST_PERCENT} % of its changes.\n`)
  process.exitCode = 1
}
