import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { OWN_JSON } from '../scripts/lint/house.js'

const ROOT = join(import.meta.dirname, '..')
const MOST_FILES = 12
const MOST_LINES = 400

/** What tests have that the program has not: helpers, whole-system tests, and tests of what stands beside `src/`. */
const OWN_FOLDERS = [
  'agent/hosted/stops',
  'api/fuzz',
  'bench',
  'canary',
  'chaos',
  'conformance',
  'deployment',
  'examples',
  'faults',
  'fixtures',
  'fuzz',
  'hostile',
  'machine',
  'mistakes',
  'providers',
  'queue/outages',
  'stack',
  'support',
  'wild',
]

/** Folders of `store/` that are no subject of a room above it: a run's attempts, and Postgres itself. */
const OF_THE_STORE = ['acts', 'attempts', 'postgres']

/** All files below a folder, as paths from it. */
const filesOf = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(ROOT, folder).length + 1))

/** The folders that these files are in, with how many of them are in each. */
function countByFolder(files: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  return counts
}

/** Its files are numbered steps: one list, which only grows at its end. */
const SEQUENCE = 'store/postgres/migrations'

const roomOf = (path: string) => path.split('/')[0] ?? ''
const sources = filesOf('src')
const tests = filesOf('test').filter((file) => file.endsWith('.test.ts'))

test.each(['src', 'test', 'scripts'])('no folder of %s has more than twelve files: one that has more gets rooms', (root) => {
  const crowded = [...countByFolder(filesOf(root))].filter(([folder, count]) => count > MOST_FILES && folder !== SEQUENCE)
  expect(crowded).toEqual([])
})

test('a source file has at most 400 lines', () => {
  const linesOf = (file: string) => readFileSync(join(ROOT, 'src', file), 'utf8').split('\n').length
  expect(sources.filter((file) => file.endsWith('.ts') && linesOf(file) > MOST_LINES)).toEqual([])
})

test('who reads JSON without lib/json/parse.ts is named in the lint rule, and nobody else is', () => {
  expect(
    sources.filter((file) => readFileSync(join(ROOT, 'src', file), 'utf8').includes('JSON.parse(') && roomOf(file) !== 'demo').toSorted(),
  ).toEqual(Object.keys(OWN_JSON).toSorted())
})

describe('one subject has one word', () => {
  test('in the store: each of its folders is named as the room whose rows it has', () => {
    const folders = new Set(
      sources.filter((file) => roomOf(file) === 'store' && file.split('/').length > 2).map((file) => file.split('/')[1]),
    )
    const words = [...sources.map(roomOf), ...OF_THE_STORE]
    expect([...folders].filter((folder) => folder !== undefined && !words.includes(folder))).toEqual([])
  })

  test('in the tests: a folder of theirs is one of the program’s', () => {
    const folders = new Set(sources.flatMap((file) => foldersAbove(file)))
    const odd = tests
      .flatMap((file) => foldersAbove(file))
      .filter((folder) => !OWN_FOLDERS.some((own) => `${folder}/`.startsWith(`${own}/`)) && !folders.has(folder))
    expect(odd).toEqual([])
  })
})

test('a test that is named as one file of its room stands where that file stands', () => {
  const astray = tests.flatMap((file) => {
    const name = basename(file, '.test.ts')
    const meant = sources.filter((source) => roomOf(source) === roomOf(file) && basename(source, '.ts') === name)
    return meant.length === 0 || meant.some((source) => dirname(source) === dirname(file)) ? [] : [`${file}: ${meant.join(', ')}`]
  })
  expect(astray).toEqual([])
})

/** `a/b/c.ts` is in `a` and in `a/b`. */
function foldersAbove(file: string): string[] {
  const parts = dirname(file).split('/')
  return dirname(file) === '.' ? [] : parts.map((_, i) => parts.slice(0, i + 1).join('/'))
}
