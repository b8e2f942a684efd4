import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Door } from './socket.ts'

/** A living server, as its `postmaster.pid` names it. */
export interface Postmaster {
  pid: number
  /** Undefined until it has said where it listens. */
  door: Door | undefined
  /** `starting`, `ready` or `stopping`. */
  status: string | undefined
}

const pidFileOf = (data: string) => join(data, 'postmaster.pid')

/** Reads postmaster.pid: line 1 is the process, line 4 the port, line 5 the directory of the socket, line 6 the address, line 8 the status. Undefined when no such server lives. */
export function postmasterOf(data: string): Postmaster | undefined {
  try {
    const lines = readFileSync(pidFileOf(data), 'utf8').split('\n')
    const [port, host] = [Number(lines[3]), lines[4] || lines[5]]
    const found = { pid: Number(lines[0]), door: host && port > 0 ? { host, port } : undefined, status: lines[7]?.trim() }
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
export function dropForeignPid(data: string): void {
  if (process.platform !== 'linux' || postmasterOf(data) || !existsSync(pidFileOf(data))) return
  const pid = Number.parseInt(readFileSync(pidFileOf(data), 'utf8'), 10)
  if (existsSync(`/proc/${pid}`)) rmSync(pidFileOf(data), { force: true })
}
