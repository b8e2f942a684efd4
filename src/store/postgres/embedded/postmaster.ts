import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isServerOn } from './processes.ts'
import { besideOf, type Door } from './socket.ts'

/** A living server, as its `postmaster.pid` names it. */
export interface Postmaster {
  pid: number
  /** Undefined until it has said where it listens. */
  door: Door | undefined
  /** `starting`, `ready` or `stopping`. */
  status: string | undefined
  /** Where its data was when it was started, if that was elsewhere: the directory was moved while it lived. */
  movedFrom: string | undefined
}

const pidFileOf = (data: string) => join(data, 'postmaster.pid')

/** Reads postmaster.pid: line 1 is the process, line 2 the directory, line 4 the port, line 5 the directory of the socket, line 6 the address, line 8 the status. Undefined when no such server lives. */
export function postmasterOf(data: string): Postmaster | undefined {
  try {
    const lines = readFileSync(pidFileOf(data), 'utf8').split('\n')
    const [pid, port] = [Number(lines[0]), Number(lines[3])]
    // A pid that was given to another program since is not ours to adopt or end, and a dead process has no command line.
    if (!Number.isInteger(pid) || pid <= 1 || !isServerOn(pid, data)) return undefined
    process.kill(pid, 0)
    const movedFrom = lines[1] === data ? undefined : lines[1]
    // Its socket has moved along.
    const host = (movedFrom !== undefined && lines[4] === besideOf(dirname(movedFrom)) && besideOf(dirname(data))) || lines[4] || lines[5]
    return { pid, door: host && port > 0 ? { host, port } : undefined, status: lines[7]?.trim(), movedFrom }
  } catch {
    return undefined
  }
}

/** Postgres takes any process with the pid in a stale file for a server on this directory, and would not start. */
export function dropForeignPid(data: string): void {
  if (postmasterOf(data) || !existsSync(pidFileOf(data))) return
  const pid = Number.parseInt(readFileSync(pidFileOf(data), 'utf8'), 10)
  if (isProcess(pid)) rmSync(pidFileOf(data), { force: true })
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
