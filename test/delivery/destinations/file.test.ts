import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { writeReport } from '../../../src/delivery/destinations/file.ts'
import { loadJob } from '../../../src/jobs/load.ts'
import { GOOD, OFFER } from '../../support/app/job-files.ts'
import { aRunView } from '../../support/app/run-view.ts'

const root = realpathSync(mkdtempSync(join(tmpdir(), 'nightshift-reports-')))
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A reports directory of its own, with a place beside it that no report may reach. */
function freshPlace() {
  const base = mkdtempSync(join(root, 'place-'))
  const reportsDir = join(base, 'reports')
  const outside = join(base, 'outside')
  mkdirSync(outside)
  return { base, reportsDir, outside }
}

const names = (dir: string) => readdirSync(dir, { recursive: true, encoding: 'utf8' }).toSorted()

test('a report is a file named after its job, its fire and its run, alone in its directory', async () => {
  const { reportsDir } = freshPlace()
  const path = await writeReport({ reportsDir, dir: 'hr/weekly', deliveryId: 'd1', readableBy: 'owner' }, aRunView())
  expect(path).toBe(join(reportsDir, 'hr/weekly/headcount-2026-11-24T0700-deadbeef.json'))
  expect(readFileSync(path, 'utf8')).toBe('{\n  "rows": [\n    1,\n    2\n  ]\n}\n')
  expect(names(reportsDir)).toEqual(['hr', 'hr/weekly', 'hr/weekly/headcount-2026-11-24T0700-deadbeef.json'])
})

test('a run that no schedule fired is dated by when it was made', async () => {
  const { reportsDir } = freshPlace()
  const path = await writeReport({ reportsDir, dir: '.', deliveryId: 'd1', readableBy: 'owner' }, aRunView({ trigger: { kind: 'api' } }))
  expect(path).toBe(join(reportsDir, 'headcount-2026-11-24T0700-deadbeef.json'))
})

test('a text is Markdown, and a run that is not green says so before all else', async () => {
  const { reportsDir } = freshPlace()
  const text = await writeReport(
    { reportsDir, dir: 'a', deliveryId: 'd1', readableBy: 'owner' },
    aRunView({ output: null, outputText: '# Hello' }),
  )
  expect([text.endsWith('.md'), readFileSync(text, 'utf8')]).toEqual([true, '# Hello\n'])
  const failed = aRunView({
    status: 'failed',
    output: null,
    outputText: null,
    reasons: [{ code: 'DEADLINE', message: 'It took too long.' }],
  })
  const content: unknown = JSON.parse(
    readFileSync(await writeReport({ reportsDir, dir: 'b', deliveryId: 'd2', readableBy: 'owner' }, failed), 'utf8'),
  )
  expect(content).toEqual({
    run: failed.id,
    job: 'headcount',
    status: 'failed',
    reasons: [{ code: 'DEADLINE', message: 'It took too long.' }],
    output: null,
    outputText: null,
  })
})

test('done twice it is one file, and what a try that died left is cleared away', async () => {
  const { reportsDir } = freshPlace()
  const place = { reportsDir, dir: 'a', deliveryId: 'd1', readableBy: 'owner' } as const
  const path = await writeReport(place, aRunView())
  writeFileSync(`${path}.d1.part`, 'half a rep')
  expect(await writeReport(place, aRunView({ output: 'new' }))).toBe(path)
  expect(names(join(reportsDir, 'a'))).toEqual(['headcount-2026-11-24T0700-deadbeef.json'])
  expect(readFileSync(path, 'utf8')).toBe('"new"\n')
})

test('twenty deliveries of one report at once leave one whole file', async () => {
  const { reportsDir } = freshPlace()
  const run = aRunView({ output: 'x'.repeat(2_000_000) })
  const paths = await Promise.all(
    Array.from({ length: 20 }, (_, i) => writeReport({ reportsDir, dir: 'a', deliveryId: `d${i}`, readableBy: 'owner' }, run)),
  )
  expect(new Set(paths).size).toBe(1)
  expect(names(join(reportsDir, 'a'))).toHaveLength(1)
  expect(readFileSync(paths[0] ?? '', 'utf8')).toBe(`${JSON.stringify(run.output)}\n`)
})

test.each([
  { title: 'the directory above', dir: '..' },
  { title: 'a way up and down again', dir: 'a/../../outside' },
  { title: 'an absolute path', dir: '/tmp' },
  { title: 'a link that leads out', dir: 'link' },
  { title: 'a directory below a link that leads out', dir: 'link/deep/er' },
  { title: 'a link to a link that leads out', dir: 'second' },
])('nothing is written outside reportsDir: $title', async ({ dir }) => {
  const { base, reportsDir, outside } = freshPlace()
  mkdirSync(reportsDir)
  symlinkSync(outside, join(reportsDir, 'link'))
  symlinkSync('link', join(reportsDir, 'second'))
  const before = names(base)
  await expect(writeReport({ reportsDir, dir, deliveryId: 'd1', readableBy: 'owner' }, aRunView())).rejects.toThrow(
    `${dir} is not below reportsDir`,
  )
  expect(names(base)).toEqual(before)
  expect(names(outside)).toEqual([])
})

test('a link where the report goes is replaced, and what it points to is not touched', async () => {
  const { reportsDir, outside } = freshPlace()
  const victim = join(outside, 'victim')
  writeFileSync(victim, 'mine')
  mkdirSync(reportsDir)
  const name = 'headcount-2026-11-24T0700-deadbeef.json'
  for (const file of [name, `${name}.d1.part`]) symlinkSync(victim, join(reportsDir, file))
  await writeReport({ reportsDir, dir: '.', deliveryId: 'd1', readableBy: 'owner' }, aRunView({ output: 1 }))
  expect([readFileSync(join(reportsDir, name), 'utf8'), readFileSync(victim, 'utf8')]).toEqual(['1\n', 'mine'])
})

test('reportsDir may be a link itself', async () => {
  const { reportsDir, outside } = freshPlace()
  symlinkSync(outside, reportsDir)
  await writeReport({ reportsDir, dir: 'a', deliveryId: 'd1', readableBy: 'owner' }, aRunView())
  expect(names(join(outside, 'a'))).toHaveLength(1)
})

test.each(['..', '../x', 'a/..', 'a/../../x', '/etc', 'a\\b', 'a\n/../../x', 'a\r/../x', 'a\0b', ''])(
  'a job file cannot name the directory %j',
  (dir) => {
    const file = join(mkdtempSync(join(root, 'job-')), 'job.yaml')
    writeFileSync(file, `${GOOD}deliver: [{ file: ${JSON.stringify(dir)} }]\n`)
    expect(loadJob(file, OFFER).ok).toBe(false)
  },
)

test.each(['a', 'a/b', '.', '..a', 'a..', 'a/..b/c', 'Berichte 2026/Löhne'])('a job file may name the directory %j', (dir) => {
  const file = join(mkdtempSync(join(root, 'job-')), 'job.yaml')
  writeFileSync(file, `${GOOD}deliver: [{ file: ${JSON.stringify(dir)} }]\n`)
  expect(loadJob(file, OFFER)).toMatchObject({ ok: true })
})

test.each([
  ['owner', 0o600, 0o700],
  ['group', 0o640, 0o750],
] as const)('what the %s may read has that mode, file and directories, whatever the umask is', async (readableBy, file, directory) => {
  for (const umask of [0o000, 0o077]) {
    const { reportsDir } = freshPlace()
    const before = process.umask(umask)
    const path = await writeReport({ reportsDir, dir: 'hr/weekly', deliveryId: 'd1', readableBy }, aRunView()).finally(() =>
      process.umask(before),
    )
    const modes = [path, dirname(path), dirname(dirname(path)), reportsDir].map((one) => statSync(one).mode & 0o777)
    expect(modes).toEqual([file, directory, directory, directory])
  }
})

test('a directory that is there keeps its mode, and a report that others could read no longer lets them', async () => {
  const { reportsDir } = freshPlace()
  mkdirSync(reportsDir, { mode: 0o755 })
  chmodSync(reportsDir, 0o755)
  const place = { reportsDir, dir: '.', deliveryId: 'd1', readableBy: 'owner' } as const
  const path = await writeReport(place, aRunView())
  chmodSync(path, 0o644)
  await writeReport(place, aRunView())
  expect([reportsDir, path].map((one) => statSync(one).mode & 0o777)).toEqual([0o755, 0o600])
})
