import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import getPort from 'get-port'
import type { Place } from './cluster.ts'

/** Where a server is reached: the directory of its Unix socket and the number in the socket's name, or an address and a port. */
export interface Door {
  host: string
  port: number
}

/** A socket directory belongs to one server, so that the number is never taken. */
const NUMBER = 5432
/** Longest directory whose socket has a path that every system takes: macOS has the shortest (104 bytes with the zero at its end). */
const MAX_BYTES = 103 - Buffer.byteLength(`/.s.PGSQL.${NUMBER}`)
const SHORT = '/tmp/nightshift-postgres-'

/** The place of the socket beside the data; undefined where its path would be too long. */
export function besideOf(dir: string): string | undefined {
  const beside = join(dir, 'socket')
  return Buffer.byteLength(beside) <= MAX_BYTES ? beside : undefined
}

/**
 * Makes the place of the socket, which the server's user alone can enter: beside the data, or in /tmp where its path would be too long. On Windows, where our
 * Postgres has none, a free port of loopback.
 */
export async function makeDoor({ dir, user }: Pick<Place, 'dir' | 'user'>): Promise<Door> {
  if (process.platform === 'win32') return { host: '127.0.0.1', port: await getPort({ host: '127.0.0.1' }) }
  const beside = besideOf(dir)
  if (beside !== undefined) mkdirSync(beside, { recursive: true, mode: 0o700 })
  const host = beside ?? mkdtempSync(SHORT)
  if (user.uid !== undefined && user.gid !== undefined) chownSync(host, user.uid, user.gid)
  chmodSync(host, 0o700)
  return { host, port: NUMBER }
}

/** Removes the place of a socket, once no server uses it. */
export function removeDoor({ host }: Door): void {
  if (host.startsWith('/')) rmSync(host, { recursive: true, force: true })
}

/** The server's settings that open this door and no other. */
export const settingsOf = ({ host, port }: Door): string[] =>
  host.startsWith('/')
    ? [`port=${port}`, 'listen_addresses=', `unix_socket_directories="${host.replaceAll('"', '""')}"`, 'unix_socket_permissions=0700']
    : [`port=${port}`, `listen_addresses=${host}`, 'unix_socket_directories=']
