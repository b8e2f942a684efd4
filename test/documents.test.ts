import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { FAILURES } from '../src/core/failure-codes.ts'
import { command } from './support/cli/command.ts'

const ROOT = join(import.meta.dirname, '..')
const DOCUMENTS = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'test/*.md'], { cwd: ROOT })
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, part = '']) => part)

/** How GitHub names a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, '')
    .trim()
    .replaceAll(/\s/g, '-')

test('README and CONTRIBUTING have at most a hundred lines', () => {
  for (const file of ['README.md', 'CONTRIBUTING.md']) expect(read(file).split('\n').length).toBeLessThanOrEqual(101)
})

test.each(DOCUMENTS)('the links of %s lead somewhere', (file) => {
  const broken = found(read(file), /\]\(([^)\s]+)\)/g).filter((link) => {
    const [path = '', anchor] = link.split('#')
    if (/^https?:/.test(link)) return false
    const target = path === '' ? file : join(dirname(file), path)
    if (!existsSync(join(ROOT, target))) return true
    return anchor !== undefined && !found(read(target), /^#+ (.*)$/gm).some((heading) => anchorOf(heading) === anchor)
  })
  expect(broken).toEqual([])
})

test.each(DOCUMENTS)('the files and scripts that %s names are there', (file) => {
  const text = read(file)
  // A folder of one part may be a room that is still to come, or what a build makes.
  const paths = found(text, /`((?:[\w.-]+\/)+[\w.-]*)`/g).filter(
    (path) => /\.(ts|js|sql|ya?ml|json|md|sh)$|\/.+\/$/.test(path) && !path.includes('NNN'),
  )
  const places = [ROOT, join(ROOT, 'src'), join(ROOT, 'src/mcp'), join(ROOT, dirname(file))]
  expect(paths.filter((path) => !places.some((place) => existsSync(join(place, path))))).toEqual([])
  expect(found(text, /npm run (?:-s )?([\w:]+)/g).filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
})

test('the commands that documents name are commands', async () => {
  const { out } = await command(['--help'])
  const known = found(out, /^ {2}([a-z-]+)/gm)
  expect(known).toContain('run')
  for (const file of DOCUMENTS) {
    const named = found(read(file), /\bnightshift ([a-z][a-z-]+)(?![\w-]*[:/])/g).filter((name) => /^[a-z-]+$/.test(name))
    expect({ file, unknown: named.filter((name) => !known.includes(name)) }).toEqual({ file, unknown: [] })
  }
})

test('the change log has the version of the package, and what is not released yet', () => {
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(read('package.json')))
  const [first, second] = found(read('CHANGELOG.md'), /^## \[([^\]]+)\]/gm)
  expect([first, second]).toEqual(['Unreleased', version])
})

test.runIf(existsSync(join(ROOT, '.git')))('no file that git is told to ignore, such as a cache, is in the repository', () => {
  const tracked = execFileSync('git', ['-c', 'safe.directory=*', 'ls-files', '--cached', '--ignored', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  expect(tracked.split('\n').filter(Boolean)).toEqual([])
})

test('each failure has its runbook, and none has two', () => {
  const named = found(read('docs/runbooks.md'), /^(`[A-Z_]+`(?: `[A-Z_]+`)*)$/gm).flatMap((line) => found(line, /`([A-Z_]+)`/g))
  expect(named.filter((code, at) => named.indexOf(code) !== at)).toEqual([])
  const told = found(read('docs/runbooks.md'), /`([A-Z][A-Z_]+_[A-Z]+|[A-Z]{5,})`/g)
  expect(Object.keys(FAILURES).filter((code) => !told.includes(code))).toEqual([])
  expect(named.filter((code) => !Object.hasOwn(FAILURES, code))).toEqual([])
})

test('the index of decisions names each of them', () => {
  const records = globSync('[0-9]*.md', { cwd: join(ROOT, 'docs/decisions') })
  expect(new Set(found(read('docs/decisions/README.md'), /\]\((\d[^)]*)\)/g))).toEqual(new Set(records))
})
