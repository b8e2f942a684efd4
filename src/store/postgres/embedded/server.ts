import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, realpathSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { Failure, messageOf } from '../../../core/failure.ts'
import { fromHereAlone } from '../session.ts'
import { openAccess, urlOf } from './access.ts'
import { findBinaries } from './binaries.ts'
import { NOBODY, openCluster, SERVER_ENVIRONMENT, type Place, type Settings } from './cluster.ts'
import { guardServer, holdServer, isHeld, removeGuard, type Hold } from './guard.ts'
import { lockDirectory } from './lock.ts'
import { dropForeignPid, postmasterOf } from './postmaster.ts'
import { endServer } from './processes.ts'
import { makeDoor, removeDoor, settingsOf, type Door } from './socket.ts'
import { makeTraversable, traversable } from './traversable.ts'

/** How long a server may take until it answers, and to end; one that says that it replays its log after a crash may take longer. */
const ANSWER_MS = 30_000
const RECOVERY_MS = 600_000
const STOP_MS = 60_000
const RETRY_MS = 200
const POLL_MS = 20
/** Advisory lock that each process using the server shares; a process that gets it exclusively is the last one. */
const KEEPERS_LOCK = "hashtextextended('nightshift keepers', 0)"

export interface EmbeddedPostgres {
  /** Of Nightshift's role, which owns the database and is no superuser. Where the platform has Unix sockets, the host is the directory of one. */
  url: string
  /** Ends the server unless another process still uses it. Can be called twice. */
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Where the server keeps its files. Processes with the same directory share one server, which ends with the last of them, however that ends. */
  dir: string
  /** The server ends when this process stops it, and what it made goes with it. For data that nobody needs afterwards. */
  ephemeral?: boolean
}

const isRoot = () => process.getuid?.() === 0

const placeOf = (dir: string) => (isRoot() ? traversable(resolve(dir)) : resolve(dir))

/** The directory has data of one that was started before. */
export const hasData = (dir: string): boolean => existsSync(dataIn(placeOf(dir)))

const dataIn = (place: string) => join(place, 'data')

/** Starts the Postgres that ships in the npm package, or adopts the one that already runs on the directory. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { ephemeral = false } = options
  const asNobody = isRoot()
  const wanted = placeOf(options.dir)
  if (asNobody) makeTraversable(wanted)
  else mkdirSync(wanted, { recursive: true })
  const dir = realpathSync(wanted)
  const place: Place = {
    dir,
    data: dataIn(dir),
    bin: join(findBinaries({ asNobody, beside: dir }), 'bin'),
    user: asNobody ? { uid: NOBODY, gid: NOBODY } : {},
  }
  const release = await lockDirectory(dir)
  try {
    const { settings, isNew } = await openCluster(place)
    const server = (await adopt(place, settings)) ?? (await launch(place, settings, ephemeral))
    const url = urlOf(server.door, settings)
    const keeper = await keep(url).catch((error: unknown) => {
      server.hold.release()
      throw error
    })
    // What another process made is not ours to remove.
    return { url, stop: once(() => stopServer({ place, server, keeper, ephemeral, removes: ephemeral && isNew })) }
  } finally {
    release()
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}

/** A server that answers. */
interface Server {
  pid: number | undefined
  door: Door
  hold: Hold
}

/** The live server on this directory, once it answers. One that was told to stop is waited for. */
async function adopt(place: Place, settings: Settings): Promise<Server | undefined> {
  const { dir, data } = place
  const began = performance.now()
  for (let postmaster = postmasterOf(data); postmaster; postmaster = postmasterOf(data)) {
    const { pid, door, status, movedFrom } = postmaster
    const refusal = status === 'stopping' || !door ? 'it is starting or stopping' : await openAccess(door, settings, ANSWER_MS)
    if (refusal === undefined && door) {
      const hold = movedFrom === undefined ? await holdServer(place, pid) : await endMoved(pid, door, movedFrom, settings)
      if (hold) return { pid, door, hold }
    }
    if (isWrongPassword(refusal) || isTooLate(began, status)) throw noAnswer(dir, `process ${pid} runs on ${data}`, refusal)
    await sleep(POLL_MS)
  }
  return undefined
}

/** Ends a server whose directory was moved while it lived: it knows its programs and its data by a path that is gone. Another process that uses it is not cut off. */
async function endMoved(pid: number, door: Door, movedFrom: string, settings: Settings): Promise<undefined> {
  const keeper = await keep(urlOf(door, settings))
  const used = await othersKeep(keeper)
  await keeper.end()
  if (used)
    throw new Failure({
      code: 'STORE_UNAVAILABLE',
      message: `The embedded Postgres (process ${pid}) was started on ${movedFrom}, which was moved since, and another process still uses it.`,
      cure: 'End the Nightshift that was started before the move, then start again.',
    })
  endServer(pid)
}

/** Starts the server and waits until it answers. After a hard kill the first start can fail: it is tried again. */
async function launch(place: Place, settings: Settings, ephemeral: boolean): Promise<Server> {
  const { dir, data } = place
  const began = performance.now()
  dropForeignPid(data)
  for (;;) {
    const door = await makeDoor(place)
    const child = spawnServer(place, door, ephemeral)
    const hold = child.pid === undefined ? undefined : guardServer(place, child.pid)
    const ended = new AbortController()
    child.once('exit', () => ended.abort())
    child.once('error', () => ended.abort())
    let refusal: unknown = 'it ended at once'
    while (!ended.signal.aborted) {
      refusal = await openAccess(door, settings, ANSWER_MS)
      if (refusal === undefined && hold) return { pid: child.pid, door, hold }
      if (isWrongPassword(refusal) || isTooLate(began, postmasterOf(data)?.status)) {
        child.kill('SIGINT') // given up, so it must not stay behind
        hold?.release()
        throw noAnswer(dir, `it was started on ${data}`, refusal)
      }
      await sleep(POLL_MS)
    }
    hold?.release()
    removeDoor(door)
    if (isTooLate(began, undefined)) throw noAnswer(dir, `it was started on ${data}`, refusal)
    await sleep(RETRY_MS)
  }
}

const isTooLate = (began: number, status: string | undefined) =>
  performance.now() - began > (status === 'starting' ? RECOVERY_MS : ANSWER_MS)

const INVALID_PASSWORD = '28P01'
const isWrongPassword = (refusal: unknown) => refusal instanceof pg.DatabaseError && refusal.code === INVALID_PASSWORD

const noAnswer = (dir: string, what: string, refusal: unknown) =>
  new Failure({
    code: 'STORE_UNAVAILABLE',
    message: `The embedded Postgres does not let us in (${what}): ${messageOf(refusal)}.`,
    cure: isWrongPassword(refusal)
      ? `Put back the ${join(dir, 'settings.json')} that belongs to this data.`
      : `Read ${join(dir, 'postgres.log')}.`,
    cause: refusal,
  })

function spawnServer({ dir, data, bin, user }: Place, door: Door, ephemeral: boolean): ChildProcess {
  const log = openSync(join(dir, 'postgres.log'), 'a', 0o600)
  const settings = [
    ...settingsOf(door),
    'max_connections=200',
    'shared_buffers=64MB',
    'random_page_cost=1.1', // SSD: random reads of an index cost little
    ...(ephemeral ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'] : []),
  ]
  // oxlint-disable-next-line waits/bounded -- it is to live on; launch() waits for its first answer, and for so long
  const child = spawn(join(bin, 'postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])], {
    ...user,
    cwd: data,
    env: SERVER_ENVIRONMENT,
    detached: true, // Ctrl-C in a terminal goes to the whole group; the server ends after our drain, not before.
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  child.unref()
  return child
}

/** Holds a lock for as long as this process lives and uses the server: the others see by it that they must not end it. */
async function keep(url: string): Promise<pg.Pool> {
  const keeper = new pg.Pool({
    ...fromHereAlone,
    connectionString: url,
    max: 1,
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
    connectionTimeoutMillis: ANSWER_MS,
    query_timeout: ANSWER_MS,
  })
  keeper.on('error', () => {})
  await keeper.query(`select pg_advisory_lock_shared(${KEEPERS_LOCK})`)
  return keeper
}

interface Running {
  place: Place
  server: Server
  keeper: pg.Pool
  ephemeral: boolean
  removes: boolean
}

async function stopServer({ place: { dir, data }, server, keeper, ephemeral, removes }: Running): Promise<void> {
  if (!existsSync(dir)) {
    await keeper.end()
    return server.hold.release()
  }
  // Under the lock, so that no process adopts the server while this one decides whether to stop it.
  const release = await lockDirectory(dir)
  try {
    const used = !ephemeral && (await othersKeep(keeper))
    await keeper.end()
    const postmaster = postmasterOf(data)
    // Another process than ours: ours has crashed, and somebody started this one.
    if (used || !postmaster || postmaster.pid !== server.pid) return
    server.hold.release()
    // The lock goes with a connection, such as that to a server that crashed before this one was started.
    if (!ephemeral && isHeld(dir)) return
    endServer(postmaster.pid)
    const isAlive = () => postmasterOf(data)?.pid === postmaster.pid
    for (const until = performance.now() + STOP_MS; isAlive() && performance.now() < until;) await sleep(POLL_MS)
    if (isAlive()) return
    removeDoor(server.door)
    removeGuard(dir)
    if (removes) rmSync(dir, { recursive: true, force: true })
  } finally {
    server.hold.release()
    release()
  }
}

/** Releases our share of the lock and returns whether other processes hold one. Connections cannot be counted instead: a closed one is listed for a moment longer. */
async function othersKeep(keeper: pg.Pool): Promise<boolean> {
  try {
    await keeper.query(`select pg_advisory_unlock_shared(${KEEPERS_LOCK})`)
    const { rows } = await keeper.query<{ alone: boolean }>(`select pg_try_advisory_lock(${KEEPERS_LOCK}) as alone`)
    return rows[0]?.alone !== true
  } catch {
    return true // too many connections, for one; a server that is left alone is adopted by the next process
  }
}
