import { once } from 'node:events'
import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { createConnection, type Server } from 'node:net'
import { dirname } from 'node:path'
import { Failure, messageOf } from '../core/failure.ts'

/**
 * Lets a server listen on a Unix socket that `ownerUid` alone can open (root can as well). A socket that a dead process left is replaced. Throws
 * `CONFIG_INVALID` when another one listens there, or the file cannot be made or given away.
 */
export async function listenOnSocket(server: Server, socket: string, ownerUid: number | undefined): Promise<void> {
  const fail = (message: string, cause?: unknown) => new Failure({ code: 'CONFIG_INVALID', message, cause })
  try {
    mkdirSync(dirname(socket), { recursive: true, mode: 0o755 })
  } catch (cause) {
    throw fail(`The directory of ${socket} cannot be made: ${messageOf(cause)}.`, cause)
  }
  const there = lstatSync(socket, { throwIfNoEntry: false })
  if (there && !there.isSocket()) throw fail(`${socket} is there, and it is no socket.`)
  if (there && (await isAlive(socket)))
    throw new Failure({ code: 'CONFIG_INVALID', message: `Another minter listens on ${socket}.`, cure: 'End it, or change socket.' })
  rmSync(socket, { force: true })
  try {
    listenPrivately(server, socket)
    // oxlint-disable-next-line waits/bounded -- the kernel says at once whether the address can be had
    await once(server, 'listening')
  } catch (cause) {
    throw fail(`The minter cannot listen on ${socket}: ${messageOf(cause)}.`, cause)
  }
  try {
    chmodSync(socket, 0o600)
    if (ownerUid !== undefined && ownerUid !== process.getuid?.()) chownSync(socket, ownerUid, statSync(socket).gid)
  } catch (cause) {
    server.close()
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The minter cannot give ${socket} to the user ${ownerUid}: ${messageOf(cause)}.`,
      cure: 'Start it as root or with CAP_CHOWN, or leave workerUid out and run it as the workers’ user.',
      cause,
    })
  }
}

/** The umask applies where the socket is made, which is within the call: there is no moment at which others can connect, and no file that somebody else makes meanwhile has it. */
function listenPrivately(server: Server, socket: string): void {
  const before = process.umask(0o177)
  try {
    server.listen(socket)
  } finally {
    process.umask(before)
  }
}

/** True only when the kernel refuses the connection. A socket that may not be opened can be alive. */
function isAlive(socket: string): Promise<boolean> {
  // oxlint-disable-next-line waits/bounded -- the kernel connects or refuses at once, whether the other one is alive or frozen
  return new Promise((done) => {
    const probe = createConnection(socket)
    probe.once('connect', () => {
      probe.destroy()
      done(true)
    })
    probe.once('error', (error) => done(!('code' in error) || (error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')))
  })
}
