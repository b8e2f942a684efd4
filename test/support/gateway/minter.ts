import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { createDemoAccounts, type DemoAccounts } from '../../../src/demo/gateway/accounts.ts'
import { startDemoConfigService } from '../../../src/demo/gateway/config-service.ts'
import { startMinter, type MinterOptions } from '../../../src/minter/server.ts'
import { createConfigService } from '../../../src/pomerium/config-service.ts'
import { createDispatcher } from '../../../src/pomerium/dispatcher.ts'

export const RUN_ID = 'run_019a0000-0000-7000-8000-000000000001'

export interface TestMinter extends AsyncDisposable {
  socket: string
  accounts: DemoAccounts
  /** All log lines so far. */
  log: string[]
  /** Starts one on the same socket. */
  start(): Promise<AsyncDisposable>
  /** Ends the minter, not what it talks to. */
  stop(): Promise<void>
}

export interface TestMinterOptions extends Partial<Pick<MinterOptions, 'policy' | 'workerUid' | 'now'>> {
  accounts?: DemoAccounts
}

/** A minter in front of a stand-in for ConfigService. */
export async function openTestMinter(options: TestMinterOptions = {}): Promise<TestMinter> {
  await using building = new AsyncDisposableStack()
  const dir = mkdtempSync(join(tmpdir(), 'nightshift-minter-'))
  chmodSync(dir, 0o711)
  building.defer(() => rmSync(dir, { recursive: true, force: true }))
  const accounts = options.accounts ?? createDemoAccounts()
  const sharedSecret = randomBytes(32)
  const { url } = building.use(await startDemoConfigService({ accounts, sharedSecret }))
  const dispatcher = createDispatcher({})
  building.defer(() => dispatcher.destroy())
  const log: string[] = []
  const stream = new Writable({
    write(chunk, _, done) {
      log.push(String(chunk))
      done()
    },
  })
  const socket = join(dir, 'minter.sock')
  const start = () =>
    startMinter({
      socket,
      workerUid: options.workerUid,
      policy: options.policy ?? { users: ['svc-reports'], maxLifetimeMs: 3_600_000, perMinute: 100 },
      service: createConfigService({ url, sharedSecret: () => sharedSecret.toString('base64'), dispatcher }),
      log: pino(stream),
      ...(options.now && { now: options.now }),
    })
  const minter = building.use(await start())
  const stack = building.move()
  return {
    socket,
    accounts,
    log,
    start,
    stop: async () => minter[Symbol.asyncDispose](),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** One request over the socket, as anybody could make it. */
export function ask(
  socketPath: string,
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  return new Promise((done, fail) => {
    const length = body === undefined || headers['transfer-encoding'] ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const req = httpRequest({ socketPath, method, path, agent: false, headers: { ...length, ...headers } }, (res) => {
      text(res).then((answer) => done({ status: res.statusCode ?? 0, body: JSON.parse(answer) as unknown }), fail)
    })
    req.once('error', fail)
    req.end(body)
  })
}
