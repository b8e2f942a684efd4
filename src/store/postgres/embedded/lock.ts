import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '../../../core/failure.ts'
import { startTimeOf } from './processes.ts'

/** Longer than it takes to make a cluster and to start it. */
const WAIT_MS = 120_000
const RETRY_MS = 50
/** An owner writes its name right after it made the file. */
const UNNAMED_MS = 2000

/**
 * One process at a time prepares or ends the server of a directory. The lock names its owner by process id and start time: one whose owner is
 * dead is taken over, also when another program has the process id by now. Returns what gives it back. `STORE_UNAVAILABLE` when a living
 * process keeps it for two minutes.
 */
export async function lockDirectory(dir: string): Promise<() => void> {
  const file = join(dir, 'starting.lock')
  for (const until = performance.now() + WAIT_MS; ;) {
    try {
      writeFileSync(file, `${process.pid} ${startTimeOf(process.pid)}`, { flag: 'wx' })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    const lock = readLock(file)
    if (!lock) continue // it was given back just now
    if (!ownerLives(lock)) takeAway(file, lock)
    else if (performance.now() < until) await sleep(RETRY_MS)
    else
      throw new Failure({
        code: 'STORE_UNAVAILABLE',
        message: `Process ${lock.pid} has been preparing the embedded Postgres in ${dir} for ${WAIT_MS / 1000} s.`,
        cure: `Wait for it or end it; remove ${file} if no Nightshift runs.`,
      })
  }
}

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : undefined)

interface Lock {
  content: string
  /** Not a number until the owner has written its name. */
  pid: number
  start: string
  uid: number
  writtenAt: number
}

function readLock(file: string): Lock | undefined {
  try {
    const content = readFileSync(file, 'utf8')
    const { uid, mtimeMs } = statSync(file)
    const [pid, ...start] = content.split(' ')
    return { content, pid: Number(pid || Number.NaN), start: start.join(' '), uid, writtenAt: mtimeMs }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function ownerLives({ pid, start, uid, writtenAt }: Lock): boolean {
  // oxlint-disable-next-line house/steady-clock -- the other one is the time of a file
  if (!Number.isInteger(pid)) return Date.now() - writtenAt < UNNAMED_MS
  try {
    return isProcess(pid, uid) && startTimeOf(pid) === start
  } catch (error) {
    return codeOf(error) === 'ETIMEDOUT' // otherwise it died between two looks
  }
}

/** Removes the lock of a dead owner. Others may do the same: what is not that lock any more is put back. */
function takeAway(file: string, { content }: Lock): void {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
    if (readFileSync(aside, 'utf8') !== content) linkSync(aside, file)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Whether a process of this id lives that a user with this uid can have started. */
function isProcess(pid: number, uid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It lives as another user's process. When the lock file is our user's, that process did not write it.
    return codeOf(error) === 'EPERM' && uid !== process.getuid?.()
  }
}
