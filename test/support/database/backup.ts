import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dumpStore } from '../../../src/store/postgres/backup/dump.ts'
import { loadStore } from '../../../src/store/postgres/backup/load.ts'
import { withBackup } from '../../../src/store/postgres/backup/open.ts'
import { migrate } from '../../../src/store/postgres/migrate.ts'
import { openDb, query, type Db } from '../../../src/store/postgres/db.ts'
import { ALL_JOBS } from '../../../src/core/rules/schedules/pause.ts'
import { liftPause } from '../../../src/store/schedules/pauses.ts'
import { someone } from '../actor.ts'
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from './database.ts'

/** A Postgres whose databases are dumped and restored. */
export interface DumpingServer extends AsyncDisposable {
  /** A migrated store. */
  create(): Promise<Db>
  /** What is in a store, to be restored. */
  dump(db: Db): Promise<string>
  /** Another store, as one was when it was dumped. */
  restore(dumped: string): Promise<Db>
}

/** Our own backups, on databases of the tests' server; the pause after a restore is lifted. */
export function createOwnBackups(): DumpingServer {
  const stack = new AsyncDisposableStack()
  const dir = stack.adopt(mkdtempSync(join(tmpdir(), 'nightshift-backups-')), (path) => rmSync(path, { recursive: true, force: true }))
  const urls = new Map<Db, string>()
  let made = 0
  const open = ({ db, url }: TestDatabase) => {
    urls.set(db, url)
    return db
  }
  return {
    create: async () => open(stack.use(await createTestDatabase())),
    async dump(db) {
      const file = join(dir, `${++made}.zst`)
      await dumpInto(file, urls.get(db) ?? '')
      return file
    },
    async restore(file) {
      const database = stack.use(await createEmptyDatabase())
      await migrate(database.db)
      await loadFrom(file, database.url)
      await liftPause(database.db, ALL_JOBS, someone())
      return open(database)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

const neverEnds = () => new AbortController().signal

/** Backs a store up into a file. */
export const dumpInto = (file: string, url: string) =>
  dumpStore({ url, program: 'test', sink: createWriteStream(file), signal: neverEnds() })

/** Puts a file into a store that was migrated. */
export const loadFrom = (file: string, url: string) =>
  withBackup(file, neverEnds(), (backup) => loadStore({ url, backup, pause: { reason: 'restored', by: 'ann' } }))

const INSTALLED = '/usr/lib/postgresql'
const PROGRAMS = ['initdb', 'postgres', 'pg_dump', 'pg_restore', 'createdb']

/** Where the system has a Postgres with its tools; the embedded one comes without. */
export function systemPostgres(): string | undefined {
  if (!existsSync(INSTALLED)) return undefined
  const dirs = readdirSync(INSTALLED).toSorted((a, b) => Number(b) - Number(a))
  return dirs.map((name) => join(INSTALLED, name, 'bin')).find((bin) => PROGRAMS.every((program) => existsSync(join(bin, program))))
}

const NOBODY = 65_534

/** `pg_dump` and `pg_restore` on a server of the system's own Postgres, on a Unix socket alone. */
export async function startSystemPostgres(bin: string): Promise<DumpingServer> {
  await using building = new AsyncDisposableStack()
  const dir = building.adopt(mkdtempSync(join(tmpdir(), 'ns-pg-')), (path) => rmSync(path, { recursive: true, force: true }))
  const isRoot = process.getuid?.() === 0
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  if (isRoot) chownSync(dir, NOBODY, NOBODY)
  chmodSync(dir, 0o755)
  const options = { cwd: dir, env: { LC_ALL: 'C.UTF-8' } }
  const run = (program: string, args: string[]) => promisify(execFile)(join(bin, program), args, { ...options, ...user })
  const data = join(dir, 'data')
  await run('initdb', ['--pgdata', data, '--username', 'postgres', '--auth', 'trust', '--encoding', 'UTF8', '--no-sync'])
  const server = spawn(join(bin, 'postgres'), ['-D', data, '-k', dir, '-h', '', '-F'], { ...options, ...user, stdio: ['ignore', 'ignore', 'pipe'] })
  building.defer(async () => {
    const over = once(server, 'exit')
    server.kill('SIGINT')
    await over
  })
  for await (const line of server.stderr) if (String(line).includes('ready to accept connections')) break
  const at = ['--host', dir, '--username', 'postgres']
  const dumps = join(dir, 'dumps')
  mkdirSync(dumps)
  if (isRoot) chownSync(dumps, NOBODY, NOBODY)
  const stack = building.move()
  let made = 0
  async function open(): Promise<{ name: string; db: Db }> {
    const name = `store${++made}`
    await run('createdb', [...at, name])
    return { name, db: stack.adopt(openDb({ url: `postgresql://postgres@localhost/${name}?host=${encodeURIComponent(dir)}` }), (db) => db.end()) }
  }
  return {
    async create() {
      const { db } = await open()
      await migrate(db)
      return db
    },
    async dump(db) {
      const [row] = await query<{ name: string }>(db, 'select current_database() as name')
      const file = join(dumps, `${++made}.dump`)
      await run('pg_dump', [...at, '--format', 'custom', '--file', file, row?.name ?? ''])
      return file
    },
    async restore(file) {
      const { name, db } = await open()
      await run('pg_restore', [...at, '--exit-on-error', '--dbname', name, file])
      return db
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
} // prettier-ignore
