import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { closeSync, constants, openSync, readFileSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Place } from './cluster.ts'
import { endServer, isServerOn } from './processes.ts'

/** For the guard to say that it heard of us, and for a pipe to be made. */
const HEARD_MS = 10_000
const MAKE_MS = 5000
const POLL_MS = 5

/**
 * Reads the pipe that every process that uses the server holds open, and says of each line that it was read. When the last of them has ended, however it ended, the
 * pipe ends, and so does the server: if the process is still that one, since its id may have been given to another program. Where somebody removed the pipe beside the data,
 * processes that came later could not hold it, and may use the server: it stays, and ends with the next process that uses it and stops.
 */
const GUARD = `trap '' HUP INT TERM
umask 077
while read -r line; do echo "$line" > "$2/guard.heard"; done
if [ -d "$1" ] && ! [ -p "$2/guard.pipe" ]; then exit; fi
echo "ending $0" > "$2/guard.heard"
if [ -r "/proc/$0/cmdline" ]; then tr '\\0' ' ' < "/proc/$0/cmdline"; else ps -ww -o command= -p "$0"; fi | grep -qF -- " -D $1 -c " && kill -INT "$0"`

/** What keeps the server alive: it ends once nobody holds it. */
export interface Hold {
  release(): void
}

const unguarded: Hold = { release() {} }

/** Starts a guard for a server that was just started, and holds the server. Where there is neither a shell nor a named pipe, as on Windows, it has no guard: the next process adopts it. */
export function guardServer({ dir, data }: Place, pid: number): Hold {
  const pipe = pipeOf(dir)
  try {
    rmSync(heardFileOf(dir), { force: true })
    // Processes that hold a server of this directory whose guard was killed hold it still.
    if (!isPipe(pipe)) makePipe(pipe)
    // For both ends at once: the opening of one end alone waits for the other.
    const both = openSync(pipe, constants.O_RDWR)
    const readEnd = openSync(pipe, constants.O_RDONLY)
    try {
      // oxlint-disable-next-line waits/bounded -- it lives as long as somebody uses the server
      const guard = spawn('/bin/sh', ['-c', GUARD, String(pid), data, dir], {
        cwd: '/',
        detached: true, // a signal for our group, such as Ctrl-C, is none for it
        env: { PATH: '/usr/bin:/bin' },
        stdio: [readEnd, 'ignore', 'ignore'],
      })
      guard.on('error', () => {})
      guard.unref()
      return holdOf(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK))
    } finally {
      closeSync(readEnd)
      closeSync(both)
    }
  } catch {
    return unguarded
  }
}

/**
 * Holds a server that another process started. Undefined when it is about to end: its guard saw nobody hold it. One whose guard was killed gets another; one that an
 * earlier version started has none.
 */
export async function holdServer(place: Place, pid: number): Promise<Hold | undefined> {
  const { dir, data } = place
  const pipe = pipeOf(dir)
  if (!isPipe(pipe)) return unguarded
  const line = `${process.pid} ${randomUUID()}`
  let fd: number | undefined
  try {
    fd = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK)
    writeSync(fd, `${line}\n`)
  } catch {
    // Nobody reads: the guard was killed, or has done its work.
    if (fd !== undefined) closeSync(fd)
    if (!isServerThere(pid, data)) return undefined
    if (heardOf(dir) !== endingOf(pid)) return guardServer(place, pid)
    endServer(pid) // as the guard did, unless it was killed before
    return undefined
  }
  const hold = holdOf(fd)
  for (const until = performance.now() + HEARD_MS; performance.now() < until; await sleep(POLL_MS)) {
    const heard = heardOf(dir)
    if (heard === line) return hold
    if (heard === endingOf(pid) || !isServerThere(pid, data)) {
      hold.release()
      return undefined
    }
  }
  return hold
}

/** Whether a process holds the server of a directory, once we have released it. Also one that lost its connections to the server holds it. */
export function isHeld(dir: string): boolean {
  let fd: number | undefined
  try {
    fd = openSync(pipeOf(dir), constants.O_RDONLY | constants.O_NONBLOCK)
    while (readSync(fd, Buffer.alloc(1024)) > 0); // lines that no guard has read
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/** Takes away what guards use, once the server of the directory was stopped in order. */
export function removeGuard(dir: string): void {
  for (const file of [pipeOf(dir), heardFileOf(dir)]) rmSync(file, { force: true })
}

const pipeOf = (dir: string) => join(dir, 'guard.pipe')
/** What a guard says once nobody holds its server. */
const endingOf = (pid: number) => `ending ${pid}`
const heardFileOf = (dir: string) => join(dir, 'guard.heard')

function holdOf(fd: number): Hold {
  let open = true
  return {
    release() {
      if (open) closeSync(fd)
      open = false
    },
  }
}

function isPipe(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === true
}

function makePipe(path: string): void {
  rmSync(path, { force: true })
  const env = { PATH: '/usr/bin:/bin' }
  execFileSync('/bin/sh', ['-c', 'exec mkfifo -m 600 "$0"', path], { env, stdio: 'ignore', timeout: MAKE_MS })
}

function heardOf(dir: string): string | undefined {
  try {
    return readFileSync(heardFileOf(dir), 'utf8').trim()
  } catch {
    return undefined
  }
}

function isServerThere(pid: number, data: string): boolean {
  try {
    return isServerOn(pid, data)
  } catch {
    return false
  }
}
