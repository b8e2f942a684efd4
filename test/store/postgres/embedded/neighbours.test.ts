import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { environment } from '../../../../src/config/environment.ts'
import { openQueueBackend } from '../../../../src/queue/backend.ts'
import { openDb, query } from '../../../../src/store/postgres/db.ts'
import { findBinaries } from '../../../../src/store/postgres/embedded/binaries.ts'
import { NOBODY } from '../../../../src/store/postgres/embedded/cluster.ts'
import { migrate } from '../../../../src/store/postgres/migrate.ts'
import { ask, createPlace, livePid, postmasterPid, socketOf, type PostgresPlace } from '../../../support/database/postgres-process.ts'
import { superuserUrl } from '../../../support/database/superuser.ts'
import { freePort } from '../../../support/net/listen.ts'
import { until } from '../../../support/until.ts'

const isRoot = process.getuid?.() === 0
const STRANGER = 12_345

describe('another user of the machine', () => {
  test.skipIf(!isRoot || process.platform !== 'linux')(
    'finds no way to the embedded Postgres: not its socket, its files, its address, its arguments, nor its environment',
    async () => {
      await using place = createPlace()
      const { url } = await place.start()
      const pid = livePid(place.dir)
      // It becomes that user when it runs: the program itself may be where only root can enter.
      const tries = `
        import { readdirSync, readFileSync } from 'node:fs'
        import { connect } from 'node:net'
        process.setgroups([])
        process.setgid(${STRANGER})
        process.setuid(${STRANGER})
        const said = {}
        const attempt = (name, work) => { try { said[name] = String(work()) } catch (error) { said[name] = error.code } }
        attempt('socketDir', () => readdirSync(${JSON.stringify(join(socketOf(url), '..'))}))
        attempt('data', () => readdirSync(${JSON.stringify(join(place.dir, 'data'))}))
        attempt('settings', () => readFileSync(${JSON.stringify(join(place.dir, 'settings.json'))}))
        attempt('log', () => readFileSync(${JSON.stringify(join(place.dir, 'postgres.log'))}))
        attempt('environ', () => readFileSync('/proc/${pid}/environ'))
        attempt('argv', () => readFileSync('/proc/${pid}/cmdline', 'utf8').replaceAll('\\0', ' '))
        const socket = connect(${JSON.stringify(socketOf(url))})
        socket.on('connect', () => { said.socket = 'connected'; socket.destroy() })
        socket.on('error', (error) => (said.socket = error.code))
        socket.on('close', () => console.log(JSON.stringify(said)))
      `
      const options = { cwd: '/', env: {}, encoding: 'utf8' } as const
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', tries], options)
      const said: unknown = JSON.parse(stdout || JSON.stringify(stderr))
      const closed = { socketDir: 'EACCES', data: 'EACCES', settings: 'EACCES', log: 'EACCES', environ: 'EACCES', socket: 'EACCES' }
      expect(said).toEqual({ ...closed, argv: expect.stringContaining(' -D ') })
      for (const secret of passwordsIn(place.dir)) expect(stdout).not.toContain(secret)
      expect(tcpSocketsOf(pid)).toEqual([])
      const environ = readFileSync(`/proc/${pid}/environ`, 'utf8')
      for (const name of Object.keys(environment).filter((one) => one !== 'LC_ALL')) expect(environ).not.toContain(`${name}=`)
    },
  )

  test.skipIf(process.platform === 'win32')('cannot enter the directory of the socket, and there is no TCP', async () => {
    await using place = createPlace()
    const { url } = await place.start()
    const dir = join(socketOf(url), '..')
    const { mode, uid } = statSync(dir)
    expect([mode & 0o777, uid]).toEqual([0o700, isRoot ? NOBODY : process.getuid?.()])
    expect(await ask(url, "select current_setting('listen_addresses') as tcp, inet_server_addr() as address")).toEqual([
      { tcp: '', address: null },
    ])
  })
})

test('Nightshift is no superuser in its database: it runs no programs, reads no files, makes no roles', async () => {
  await using place = createPlace()
  const { url } = await place.start()
  const [role] = await ask(
    url,
    'select rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls from pg_roles where rolname = current_user',
  )
  expect(role).toEqual({ rolname: 'nightshift', rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolbypassrls: false })
  const refused = [
    "copy (select 1) to program 'true'",
    "select pg_read_file('postmaster.pid')",
    'create role other superuser',
    'alter system set port = 1',
  ]
  for (const statement of refused) await expect(ask(url, statement), statement).rejects.toThrow(/permission denied/)
})

test.skipIf(process.platform === 'win32')(
  'a directory whose name is too long for a socket has it elsewhere, and takes it along in the end',
  async () => {
    await using place = createPlace('x'.repeat(100))
    const started = await place.start()
    const dir = join(socketOf(started.url), '..')
    expect(await ask(started.url, 'select 1 as one')).toEqual([{ one: 1 }])
    expect([socketOf(started.url).length < 104, statSync(dir).mode & 0o777]).toEqual([true, 0o700])
    await started.stop()
    expect(existsSync(dir)).toBe(false)
  },
)

/** Makes of a store what the version before had: one role for everything, the superuser, and settings that know its password alone. */
async function makeEarlier(place: PostgresPlace): Promise<void> {
  const started = await place.start()
  const { url } = started
  const db = openDb({ url: superuserUrl(place.dir, url) })
  await migrate(db)
  const queue = await openQueueBackend({ redisUrl: undefined, databaseUrl: superuserUrl(place.dir, url) })
  await queue.close()
  await query(db, "create table kept as select 'of then' as what")
  await query(db, 'alter database nightshift owner to postgres')
  await query(db, 'drop role nightshift')
  await db.end()
  await started.stop()
  const [password] = passwordsIn(place.dir)
  for (const file of settingsIn(place.dir)) writeFileSync(file, JSON.stringify({ password }))
}

const settingsIn = (dir: string) => [join(dir, 'settings.json'), join(dir, 'data', 'nightshift.json')]

function passwordsIn(dir: string): string[] {
  const settings: unknown = JSON.parse(readFileSync(join(dir, 'settings.json'), 'utf8'))
  return Object.values(settings ?? {}).map(String)
}

const NOT_OURS = `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where pg_get_userbyid(c.relowner) <> 'nightshift' and n.nspname !~ '^(pg_|information_schema)'
  union all select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where pg_get_userbyid(p.proowner) <> 'nightshift' and n.nspname !~ '^(pg_|information_schema)'
  union all select t.typname from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where pg_get_userbyid(t.typowner) <> 'nightshift' and n.nspname !~ '^(pg_|information_schema)'`

async function expectWorking(place: PostgresPlace, url: string): Promise<void> {
  expect(new URL(url).username).toBe('nightshift')
  expect(await ask(url, 'select what from kept')).toEqual([{ what: 'of then' }])
  expect(await ask(url, NOT_OURS)).toEqual([])
  const db = openDb({ url })
  await migrate(db)
  await query(db, 'alter table kept add column more int')
  await db.end()
  const queue = await openQueueBackend({ redisUrl: undefined, databaseUrl: url })
  await queue.close()
  for (const file of settingsIn(place.dir))
    expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toEqual(['password', 'rolePassword'])
}

test('a store of the version before, where the superuser owned everything, goes on under the role', async () => {
  await using place = createPlace()
  await makeEarlier(place)
  const started = await place.start()
  const { url } = started
  await expectWorking(place, url)
  await started.stop()
  const again = await place.start()
  expect(again.url).toBe(url)
})

test('a server that the version before started, on TCP, is adopted while it lives', async () => {
  await using place = createPlace()
  await makeEarlier(place)
  const port = await freePort()
  const data = join(place.dir, 'data')
  const asNobody = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories='].flatMap((one) => ['-c', one])
  const server = spawn(join(findBinaries({ asNobody: isRoot, beside: data }), 'bin', 'postgres'), ['-D', data, ...settings], {
    ...asNobody,
    cwd: data,
    stdio: 'ignore',
  })
  await until(() => existsSync(join(data, 'postmaster.pid')) && readFileSync(join(data, 'postmaster.pid'), 'utf8').includes('ready'))
  const started = await place.start()
  const { url } = started
  expect([new URL(url).port, livePid(place.dir)]).toEqual([String(port), server.pid])
  await expectWorking(place, url)
  await started.stop()
  expect(postmasterPid(place.dir)).toBeUndefined()
  const next = await place.start()
  await expect(ask(next.url, 'select what from kept')).resolves.toEqual([{ what: 'of then' }])
  expect(new URL(next.url).hostname).toContain('%2F')
})

/** The TCP sockets that a process has open. */
function tcpSocketsOf(pid: number): string[] {
  const open = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []),
  )
  return ['tcp', 'tcp6'].flatMap((kind) =>
    readFileSync(`/proc/net/${kind}`, 'utf8')
      .split('\n')
      .filter((line) => open.has(line.trim().split(/\s+/)[9] ?? '')),
  )
}
