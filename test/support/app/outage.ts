import { environment } from '../../../src/config/environment.ts'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { socketOf } from '../database/postgres-process.ts'
import { listen } from '../net/listen.ts'

/** Something that can go away and come back where it was. */
export interface Outage extends AsyncDisposable {
  url: string
  close(): Promise<void>
  open(): Promise<void>
}

/** A way that can also lose every packet: connections stand, and nothing passes. Those that stood then stay silent for ever. */
export interface Way extends Outage {
  fallSilent(): void
  /** As a reader that is slow: ten bytes a second pass, each way of each connection. */
  drip(): void
  /** Ends both. */
  speak(): void
  /** From now on new connections go to another server, as an address does after a failover. Those that stand stay. */
  leadTo(target: string): void
}

const DRIP_BYTES = 10
const DRIP_MS = 1000

/** A way to a server of which the URL tells, that can be shut, or fall silent. */
export async function startWayTo(target: string): Promise<Way> {
  let leadsTo = target
  const sockets = new Set<Socket>()
  let silent = false
  let drips = false
  const lost = new WeakSet<Socket>()
  const server = createServer((near) => {
    const { hostname, port: farPort } = new URL(leadsTo)
    // The embedded Postgres is behind a Unix socket.
    const far = hostname.startsWith('%2F') ? connect(socketOf(leadsTo)) : connect(Number(farPort), hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      if (silent) lost.add(socket)
      socket.on('data', (bytes) => {
        if (drips) return void pass(bytes, socket, other)
        if (lost.has(socket) || other.write(bytes)) return
        socket.pause()
        other.once('drain', () => socket.resume())
      })
      const end = () => {
        if (!lost.has(socket)) other.destroy()
      }
      socket.on('error', end)
      socket.once('close', () => {
        sockets.delete(socket)
        end()
      })
    }
  })
  async function pass(bytes: Buffer, from: Socket, to: Socket): Promise<void> {
    from.pause()
    let at = 0
    while (at < bytes.length && !to.destroyed) {
      const end = drips ? at + DRIP_BYTES : bytes.length
      to.write(bytes.subarray(at, end))
      at = end
      if (drips) await sleep(DRIP_MS)
    }
    from.resume()
  }
  const port = await listen(server)
  const url = new URL(target)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  const close = async () => {
    if (!server.listening) return
    const closed = new Promise((done) => server.close(done))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    url: url.href,
    close,
    open: async () => void (await listen(server, port)),
    fallSilent() {
      silent = true
      for (const socket of sockets) lost.add(socket)
    },
    leadTo: (other) => void (leadsTo = other),
    drip: () => void (drips = true),
    speak() {
      silent = false
      drips = false
    },
    [Symbol.asyncDispose]: close,
  }
}

export const hasRedisServer = (): boolean => spawnSync('redis-server', ['--version']).status === 0

/** A server that can also fall silent: connections stand, and nothing answers. */
export interface Freezable extends Outage {
  freeze(): void
  thaw(): void
}

/** A redis-server that writes no snapshots. */
export function spawnRedis(port: number, settings: readonly string[]): { started: ChildProcess; isReady: Promise<void> } {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', ...settings]
  const started = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ready = async () => {
    for await (const chunk of started.stdout) if (String(chunk).includes('Ready to accept connections')) break
  }
  return { started, isReady: ready() }
}

/** A redis-server that keeps its data in `dir` while it is away. */
export async function startOwnRedis(dir: string, port: number): Promise<Freezable> {
  let server: ChildProcess | undefined
  async function open(): Promise<void> {
    const { started, isReady } = spawnRedis(port, ['--appendonly', 'yes', '--appendfsync', 'always', '--dir', dir])
    server = started
    await isReady
  }
  async function close(): Promise<void> {
    const running = server
    server = undefined
    if (!running || running.exitCode !== null) return
    running.kill('SIGKILL')
    await once(running, 'exit')
  }
  await open()
  return {
    url: `redis://127.0.0.1:${port}`,
    open,
    close,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    [Symbol.asyncDispose]: close,
  }
}

/** A worker process of its own. */
export interface WorkerProcess extends AsyncDisposable {
  /** Ends it as a lost machine does. */
  kill(): Promise<void>
  /** Blocks its event loop for ever; resolves when it has ended. */
  block(): Promise<void>
}

/** Environment of a program whose event loop SIGUSR2 blocks for ever. */
export const BLOCKABLE = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent("process.on('SIGUSR2', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))")}`,
}

const BIN = new URL('../../../src/cli/bin.js', import.meta.url).pathname

/** Starts `nightshift start --only worker`; resolves when it is at work. */
export async function startWorkerProcess(configFile: string): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [BIN, '-c', configFile, 'start', '--only', 'worker'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...environment, ...BLOCKABLE },
  })
  const exited = once(child, 'exit')
  let said = ''
  for await (const chunk of child.stdout) {
    said += String(chunk)
    if (said.includes('Nightshift is at work.')) break
  }
  if (child.exitCode !== null) throw new Error(`the worker ended: ${said}`)
  child.stdout.resume()
  const kill = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await exited
  }
  const block = async () => {
    child.kill('SIGUSR2')
    await exited
  }
  return { kill, block, [Symbol.asyncDispose]: kill }
}
