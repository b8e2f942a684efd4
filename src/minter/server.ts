import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import type { Logger } from 'pino'
import { z } from 'zod'
import { describeError } from '../core/failure.ts'
import type { ConfigService, ServiceAccount } from '../pomerium/config-service.ts'
import { listenOnSocket } from './socket.ts'
import { tryParse } from '../lib/json/parse.ts'

export interface MinterPolicy {
  /** Users that accounts may be made for. */
  users: readonly string[]
  /** Longest life of an account, in milliseconds. */
  maxLifetimeMs: number
  /** Accounts in a minute. */
  perMinute: number
}

export interface MinterOptions {
  socket: string
  /** Owner of the socket: the workers' user. Apart from root, the kernel lets nobody else connect. */
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
/** By its description an account is known as made here, also by a minter that was started since. */
const descriptionOf = (runId: string) => `Nightshift ${runId}`
const MADE_FOR_RUN = /^Nightshift run_[0-9a-f-]{36}$/
const MAX_BODY_BYTES = 4096
const MINUTE_MS = 60_000
/** Pomerium counts in seconds, so a worker rounds a deadline up to the next one. */
const ROUNDING_MS = 1000

/** Makes service accounts for single runs, under a policy of its own, so that workers never hold Pomerium's shared secret. */
export async function startMinter(options: MinterOptions): Promise<AsyncDisposable> {
  const { socket, workerUid, policy, service, log, now = () => new Date() } = options
  let recent: number[] = []

  /** Why a request is refused; undefined when the policy allows it. */
  function refusal({ userId, expiresAt }: z.output<typeof requestSchema>): { status: 403 | 429; error: string } | undefined {
    const at = now().getTime()
    const lifeMs = Date.parse(expiresAt) - at
    recent = recent.filter((time) => at - time < MINUTE_MS)
    if (!policy.users.includes(userId)) return { status: 403, error: 'this user is not in its policy' }
    if (lifeMs <= 0) return { status: 403, error: 'the account would have expired already' }
    if (lifeMs > policy.maxLifetimeMs + ROUNDING_MS)
      return {
        status: 403,
        error: `an account may live ${policy.maxLifetimeMs / 1000} s, and ${Math.round(lifeMs / 1000)} s were asked for`,
      }
    if (recent.length >= policy.perMinute) return { status: 429, error: `${policy.perMinute} accounts a minute were made` }
    return undefined
  }

  const app = new Hono()
  app.onError((error, c) => {
    log.error({ reason: describeError(error) }, 'An account could not be made or ended.')
    return c.json({ error: 'Pomerium did not make or end the account' }, 502)
  })
  app.notFound((c) => c.json({ error: 'there is nothing at this address' }, 404))

  app.post('/accounts', async (c) => {
    // A body without content-length is refused unread.
    if (Number(c.req.header('content-length') ?? Number.POSITIVE_INFINITY) > MAX_BODY_BYTES)
      return c.json({ error: 'the request is too large' }, 413)
    const parsed = requestSchema.safeParse(tryParse(await c.req.text()))
    if (!parsed.success) return c.json({ error: 'the request is not as it must be' }, 400)
    const { runId, userId, expiresAt } = parsed.data
    const refused = refusal(parsed.data)
    if (refused) {
      log.warn({ runId, userId, expiresAt, reason: refused.error }, 'Refused an account.')
      return c.json({ error: refused.error }, refused.status)
    }
    recent.push(now().getTime())
    const account = await service.create({ userId, description: descriptionOf(runId), expiresAt: new Date(expiresAt) })
    log.info({ runId, userId, expiresAt, accountId: account.id }, 'Made an account.')
    return c.json(account, 201)
  })

  app.delete('/accounts/:id', async (c) => {
    const id = c.req.param('id')
    // Only accounts that a minter made, as the gateway says: the socket must not be a way to delete others.
    const one = (await service.list()).find((account) => account.id === id)
    if (!one || !MADE_FOR_RUN.test(one.description)) return c.json({ error: 'no such account was made here' }, 404)
    await end(one)
    return c.json({})
  })

  app.delete('/runs/:runId/accounts', async (c) => {
    const runId = c.req.param('runId')
    const description = descriptionOf(runId)
    if (!MADE_FOR_RUN.test(description)) return c.json({ error: 'this is no run' }, 400)
    const accounts = (await service.list()).filter((account) => account.description === description)
    for (const one of accounts) await end(one)
    return c.json({ ended: accounts.length })
  })

  async function end({ id, description }: ServiceAccount): Promise<void> {
    await service.delete(id)
    log.info({ accountId: id, description }, 'Ended an account.')
  }

  const server = createAdaptorServer({ fetch: app.fetch })
  await listenOnSocket(server, socket, workerUid)
  log.info({ socket, users: policy.users, maxLifetimeMs: policy.maxLifetimeMs, perMinute: policy.perMinute }, 'The minter listens.')
  return {
    async [Symbol.asyncDispose]() {
      // oxlint-disable-next-line waits/bounded -- its connections are ended below
      const closed = once(server, 'close')
      server.close()
      if ('closeAllConnections' in server) server.closeAllConnections()
      await closed
      rmSync(socket, { force: true })
    },
  }
}
