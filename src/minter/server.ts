import { chmodSync, chownSync, lstatSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createConnection } from 'node:net'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import type { Logger } from 'pino'
import { z } from 'zod'
import { Failure, messageOf } from '../core/failure.ts'
import type { ConfigService } from '../pomerium/config-service.ts'

export interface MinterPolicy {
  /** Users that accounts may be made for. */
  users: readonly string[]
  /** Longest life of an account, in milliseconds. */
  longestMs: number
  /** Accounts in a minute. */
  perMinute: number
}

export interface MinterOptions {
  socket: string
  /** Owner of the socket: the workers' user. The kernel lets nobody else connect, but root. */
  workerUid: number | undefined
  policy: MinterPolicy
  service: ConfigService
  log: Logger
  now?: () => Date
}

const requestSchema = z.strictObject({
  runId: z.string().regex(/^run_[0-9a-f-]{36}$/),
  userId: z.string().min(1).max(200),
  expiresAt: z.iso.datetime(),
})
const MAX_BODY = 4096
const MINUTE_MS = 60_000
/** Pomerium counts in seconds, so a worker rounds a deadline up to the next one. */
const ROUNDING_MS = 1000

/** Gives workers service accounts that die with a run, by a policy of its own. It alone holds Pomerium's shared secret. */
export async function startMinter(options: MinterOptions): Promise<AsyncDisposable> {
  const { socket, workerUid, policy, service, log, now = () => new Date() } = options
  /** Accounts that this process made and that may still live. */
  const made = new Map<string, number>()
  let recent: number[] = []

  /** Why a request is refused; undefined when the policy allows it. */
  function refusal({ userId, expiresAt }: z.output<typeof requestSchema>): { status: number; error: string } | undefined {
    const at = now().getTime()
    const lifeMs = Date.parse(expiresAt) - at
    recent = recent.filter((time) => at - time < MINUTE_MS)
    if (!policy.users.includes(userId)) return { status: 403, error: 'this user is not in its policy' }
    if (lifeMs <= 0) return { status: 403, error: 'the account would have expired already' }
    if (lifeMs > policy.longestMs + ROUNDING_MS)
      return { status: 403, error: `an account may live ${policy.longestMs / 1000} s, and ${Math.round(lifeMs / 1000)} s were asked for` }
    if (recent.length >= policy.perMinute) return { status: 429, error: `${policy.perMinute} accounts a minute were made` }
    return undefined
  }

  async function mint(req: IncomingMessage, res: ServerResponse): Promise<void> {
    if (Number(req.headers['content-length'] ?? Number.POSITIVE_INFINITY) > MAX_BODY)
      return answer(res, 413, { error: 'the request is too large' })
    const parsed = requestSchema.safeParse(parseJson(await readText(req)))
    if (!parsed.success) return answer(res, 400, { error: 'the request is not as it must be' })
    const { runId, userId, expiresAt } = parsed.data
    const refused = refusal(parsed.data)
    if (refused) {
      log.warn({ runId, userId, expiresAt, reason: refused.error }, 'Refused an account.')
      return answer(res, refused.status, { error: refused.error })
    }
    recent.push(now().getTime())
    const account = await service.create({ userId, description: `Nightshift ${runId}`, expiresAt: new Date(expiresAt) })
    made.set(account.id, Date.parse(expiresAt))
    for (const [id, at] of made) if (at < now().getTime()) made.delete(id)
    log.info({ runId, userId, expiresAt, accountId: account.id }, 'Made an account.')
    answer(res, 201, account)
  }

  async function end(id: string, res: ServerResponse): Promise<void> {
    // Only what was made here: the socket must not be a way to delete others.
    if (!made.has(id)) return answer(res, 404, { error: 'no such account was made here' })
    await service.delete(id)
    made.delete(id)
    answer(res, 200, {})
  }

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const id = /^\/accounts\/([\w-]{1,100})$/.exec(req.url ?? '')?.[1]
    if (req.method === 'POST' && req.url === '/accounts') return mint(req, res)
    if (req.method === 'DELETE' && id !== undefined) return end(id, res)
    answer(res, 404, { error: 'there is nothing at this address' })
  }

  const server = createServer((req, res) => {
    serve(req, res).catch((error: unknown) => {
      log.error({ reason: messageOf(error) }, 'An account could not be made.')
      if (!res.headersSent) answer(res, 502, { error: 'Pomerium did not make the account' })
    })
  })
  await listen(server, socket, workerUid)
  log.info({ socket, users: policy.users, longestMs: policy.longestMs, perMinute: policy.perMinute }, 'The minter listens.')
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
      rmSync(socket, { force: true })
    },
  }
}

async function listen(server: ReturnType<typeof createServer>, socket: string, workerUid: number | undefined): Promise<void> {
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
  // Nobody may connect between the making of the socket and its mode.
  const before = process.umask(0o177)
  try {
    server.listen(socket)
    await once(server, 'listening')
  } catch (cause) {
    throw fail(`The minter cannot listen on ${socket}: ${messageOf(cause)}.`, cause)
  } finally {
    process.umask(before)
  }
  try {
    chmodSync(socket, 0o600)
    if (workerUid !== undefined && workerUid !== process.getuid?.()) chownSync(socket, workerUid, statSync(socket).gid)
  } catch (cause) {
    server.close()
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The minter cannot give ${socket} to the user ${workerUid}: ${messageOf(cause)}.`,
      cure: 'Start it as root or with CAP_CHOWN, or leave worker_uid out and run it as the workers’ user.',
      cause,
    })
  }
}

/** Nobody listens only when the kernel says so: one that may not be opened can be alive. */
function isAlive(socket: string): Promise<boolean> {
  return new Promise((done) => {
    const probe = createConnection(socket)
    probe.once('connect', () => {
      probe.destroy()
      done(true)
    })
    probe.once('error', (error) => done(!('code' in error) || (error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')))
  })
}

function answer(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
