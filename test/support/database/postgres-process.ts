import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { openDb, query } from '../../../src/store/postgres/db.ts'
import { until } from '../until.ts'

const MODULE = join(import.meta.dirname, '../../../src/store/postgres/embedded/server.ts')
const SCRIPT = `
import { startEmbeddedPostgres } from ${JSON.stringify(MODULE)}
const [dir, ephemeral] = process.argv.slice(2)
const postgres = await startEmbeddedPostgres({ dir, ephemeral: ephemeral === 'true' })
process.stdin.on('data', () => void postgres.stop().then(() => process.exit(0)))
console.log(JSON.stringify({ url: postgres.url }))
`
const readySchema = z.object({ url: z.string() })

/** A process of its own that has started an embedded Postgres and stays. */
export interface PostgresProcess {
  pid: number
  url: string
  /** Stops the server as the process would, and ends it. Returns its exit code. */
  stop(): Promise<number | null>
  kill(): Promise<void>
}

/** A directory for clusters, and the processes started in it; all are ended and removed in the end. */
export interface PostgresPlace extends AsyncDisposable {
  dir: string
  start(options?: { ephemeral?: boolean; umask?: string }): Promise<PostgresProcess>
}

export function createPlace(name = 'postgres'): PostgresPlace {
  const root = mkdtempSync(join(tmpdir(), 'nightshift-embedded-'))
  chmodSync(root, 0o711)
  const dir = join(root, name)
  const script = join(root, 'start.mjs')
  writeFileSync(script, SCRIPT)
  const stack = new AsyncDisposableStack()
  stack.defer(async () => {
    const pid = postmasterPid(dir)
    if (pid !== undefined) await killed(pid)
    rmSync(root, { recursive: true, force: true })
  })

  async function start({ ephemeral = false, umask = '022' } = {}): Promise<PostgresProcess> {
    const program = ['-c', `umask ${umask}; exec "$@"`, 'sh', process.execPath, script, dir, String(ephemeral)]
    const child = spawn('sh', program, { stdio: ['pipe', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    const lines = createInterface({ input: child.stdout })
    const line = await Promise.race([once(lines, 'line').then(String), exited.then(() => '')])
    if (line === '' || child.pid === undefined) throw new Error('the process ended before its server was ready')
    const { url } = readySchema.parse(JSON.parse(line))
    const kill = async () => {
      child.kill('SIGKILL')
      await exited
    }
    stack.defer(kill)
    return {
      pid: child.pid,
      url,
      async stop() {
        child.stdin.write('stop\n')
        await exited
        return child.exitCode
      },
      kill,
    }
  }

  return { dir, start, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** The process that postmaster.pid names, if it lives. */
export function postmasterPid(dir: string): number | undefined {
  const file = join(dir, 'data', 'postmaster.pid')
  if (!existsSync(file)) return undefined
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
  return isAlive(pid) ? pid : undefined
}

/** The same, of a server that must live. */
export function livePid(dir: string): number {
  const pid = postmasterPid(dir)
  if (pid === undefined) throw new Error('no server lives')
  return pid
}

/** Where the server of a URL listens. */
export const socketOf = (url: string): string => join(decodeURIComponent(new URL(url).hostname), `.s.PGSQL.${new URL(url).port}`)

/** The rows of one statement, by a connection of its own. */
export async function ask<Row extends Record<string, unknown>>(url: string, text: string): Promise<Row[]> {
  const db = openDb({ url, max: 1 })
  try {
    return await query<Row>(db, text)
  } finally {
    await db.end()
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A process that is dead and not yet collected still has a pid.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

/** Resolves when a process is gone; looking is all that can be done for one that is not our child. */
export const gone = (pid: number): Promise<true> => until(() => !isAlive(pid))

/** The processes whose command line or working directory names a directory, and, when it is given, a word more (Linux). */
export function processesOf(dir: string, word = ''): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const what = `${readFileSync(`/proc/${pid}/cmdline`, 'utf8')} ${readlinkSync(`/proc/${pid}/cwd`)}`
        return pid !== process.pid && what.includes(dir) && what.includes(word)
      } catch {
        return false // no process, or it has ended
      }
    })
}

/** Resolves when no process of a directory is left. */
export const noneLeft = (dir: string): Promise<true> => until(() => processesOf(dir).length === 0)

export async function killed(pid: number): Promise<void> {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  await gone(pid)
}
