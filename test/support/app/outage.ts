import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { listen } from '../net/listen.ts'

/** Something that can go away and come back where it was. */
export interface Outage extends AsyncDisposable {
  url: string
  close(): Promise<void>
  open(): Promise<void>
}

/** A way to a server of which the URL tells, that can be shut. */
export async function startWayTo(target: string): Promise<Outage> {
  const { hostname, port: targetPort } = new URL(target)
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    // The embedded Postgres is behind a Unix socket.
    const far = hostname.startsWith('%2F')
      ? connect(`${decodeURIComponent(hostname)}/.s.PGSQL.${targetPort}`)
      : connect(Number(targetPort), hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy())
      socket.once('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  })
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
  return { url: url.href, close, open: async () => void (await listen(server, port)), [Symbol.asyncDispose]: close }
}

export const hasRedisServer = (): boolean => spawnSync('redis-server', ['--version']).status === 0

/** A server that can also fall silent: connections stand, and nothing answers. */
export interface Freezable extends Outage {
  freeze(): void
  thaw(): void
}

/** A redis-server that keeps its data in `dir` while it is away. */
export async function startOwnRedis(dir: string, port: number): Promise<Freezable> {
  let server: ChildProcess | undefined
  async function open(): Promise<void> {
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
      '--dir',
      dir,
    ]
    const started = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] })
    server = started
    for await (const chunk of started.stdout) if (String(chunk).includes('Ready to accept connections')) break
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
}

const BIN = new URL('../../../src/cli/bin.js', import.meta.url).pathname

/** Starts `nightshift start --only worker`; resolves when it is at work. */
export async function startWorkerProcess(configFile: string): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [BIN, '-c', configFile, 'start', '--only', 'worker'], { stdio: ['ignore', 'pipe', 'inherit'] })
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
  return { kill, [Symbol.asyncDispose]: kill }
}
