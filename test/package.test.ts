import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { environment } from '../src/config/environment.ts'

const ROOT = join(import.meta.dirname, '..')
/** The registry may be slow. */
const INSTALL_MS = 300_000
/** Bytes of the tarball: sources as JavaScript, the sample data and the documents. */
const MOST_BYTES = 900_000

const packedSchema = z.tuple([z.object({ filename: z.string(), size: z.number(), files: z.array(z.object({ path: z.string() })) })])
const runSchema = z.looseObject({ job: z.string(), status: z.string(), reasons: z.array(z.string()) })

const exec = promisify(execFile)

/** Runs a command as in a shell of somebody who has Node and npm and nothing of this repository: no variables of ours, no `.bin` on the path. */
const shell = async (cwd: string, command: string, ...args: readonly string[]) =>
  (
    await exec(command, args, {
      cwd,
      maxBuffer: 64 * 1024 * 1024,
      env: {
        ...Object.fromEntries(
          Object.entries(environment).filter(([name]) => !/^(npm_|VITEST|NODE_ENV|NODE_OPTIONS|DATABASE_URL|REDIS_URL)/i.test(name)),
        ),
        PATH: (environment['PATH'] ?? '')
          .split(delimiter)
          .filter((dir) => !dir.includes('node_modules'))
          .concat(dirname(process.execPath))
          .join(delimiter),
      },
    })
  ).stdout

describe('the package', () => {
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-package-'))
  const home = join(dir, 'home')
  let packed: z.output<typeof packedSchema>[0]

  beforeAll(async () => {
    mkdirSync(home)
    const out = await shell(ROOT, 'npm', 'pack', '--json', '--pack-destination', dir)
    ;[packed] = packedSchema.parse(JSON.parse(out.slice(out.indexOf('['))))
    await shell(home, 'npm', 'init', '--yes')
    await shell(home, 'npm', 'install', '--no-audit', '--no-fund', join(dir, packed.filename))
  }, INSTALL_MS)
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  test('holds what runs, its documents and nothing else, and is small', () => {
    const paths = packed.files.map(({ path }) => path)
    expect(paths.filter((path) => !path.startsWith('dist/') && !path.startsWith('config/')).toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'docs/api.md',
      'docs/audit.md',
      'docs/configuration.md',
      'docs/eval.md',
      'docs/failures.md',
      'docs/hosted-providers.md',
      'docs/jobs.md',
      'docs/limits.md',
      'docs/operations.md',
      'docs/verify-evidence.md',
      'jobs/industry-trend.yaml',
      'jobs/labor-report.cases.yaml',
      'jobs/labor-report.yaml',
      'package.json',
      'src/cli/bin.js',
      'src/cli/health.js',
    ])
    expect(paths.filter((path) => /\.ts$|\.test\.|(^|\/)fixtures\/|\.map$/.test(path))).toEqual([])
    expect(packed.size).toBeLessThan(MOST_BYTES)
  })

  test('writes a starter whose jobs are valid', async () => {
    expect(await shell(home, 'npx', 'nightshift', 'init')).toContain('Next:\n  npm install ./nightshift-')
    for (const file of ['config/nightshift.yaml', 'jobs/hello.yaml', 'docker-compose.yml', 'Dockerfile', '.dockerignore'])
      expect({ file, isThere: existsSync(join(home, file)) }).toEqual({ file, isThere: true })
    expect(await shell(home, 'npx', 'nightshift', 'jobs', 'check')).toBe('1 job valid, 0 faults.\n')
  }, 180_000)

  test.each([
    ['the package', () => shell(home, 'npx', 'nightshift', 'init', 'reports')],
    ['a checkout', () => shell(home, process.execPath, join(import.meta.dirname, '../src/cli/bin.js'), 'init', 'others')],
  ])(
    'written by %s, a starter depends on just that package, which lies beside it',
    async (_, init) => {
      const said = await init()
      const own = /cd (\w+)\n {2}npm install\n/.exec(said)?.[1] ?? ''
      const tarball = packed.filename
      expect(JSON.parse(readFileSync(join(home, own, 'package.json'), 'utf8'))).toMatchObject({
        dependencies: { nightshift: `file:${tarball}` },
      })
      expect(existsSync(join(home, own, tarball))).toBe(true)
    },
    120_000,
  )

  test('runs the demo', async () => {
    const run = runSchema.parse(JSON.parse(await shell(home, 'npx', 'nightshift', 'demo', '--json')))
    expect(run).toMatchObject({ job: 'labor-report', status: 'succeeded', reasons: [] })
  }, 180_000)
})
