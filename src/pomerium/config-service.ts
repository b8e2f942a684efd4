import { SignJWT } from 'jose'
import { fetch, type Dispatcher } from 'undici'
import { z } from 'zod'
import { Failure, messageOf } from '../core/failure.ts'
import { readAtOnce } from '../lib/files/read-at-once.ts'
import { createDispatcher } from './dispatcher.ts'
import { parseDigits } from '../lib/json/parse.ts'

const accountSchema = z.looseObject({
  id: z.string(),
  userId: z.string().default(''),
  description: z.string().default(''),
  expiresAt: z.string().optional(),
  modifiedAt: z.string().optional(),
  accessedAt: z.string().optional(),
})
const createdSchema = z.looseObject({ serviceAccount: accountSchema, jwt: z.string().min(1) })
const listSchema = z.looseObject({ serviceAccounts: z.array(accountSchema).default([]) })

export type ServiceAccount = z.output<typeof accountSchema>

/** Pomerium's ConfigService: makes and removes service accounts. Needs the shared secret, the gateway's master key. */
export interface ConfigService {
  /** Returns the token, which cannot be read again later. `userId` is required: no policy could allow an account without a user. */
  create(account: { userId: string; description: string; expiresAt: Date | undefined }): Promise<{ id: string; jwt: string }>
  list(): Promise<ServiceAccount[]>
  /** Deleting one that does not exist succeeds too. Pomerium honours a deleted one for up to a minute (measured). */
  delete(id: string): Promise<void>
}

export interface ConfigServiceOptions {
  /** Pomerium's gRPC address. */
  url: string
  /** File with the shared secret, in base64 as in Pomerium's configuration; read for each request. */
  sharedSecretFile: string
  caFile?: string | undefined
}

/** Talks to ConfigService with a secret of a file, over connections of its own, which end when it is disposed of. `CONFIG_INVALID` without a usable secret. */
export function openConfigService({ url, sharedSecretFile, caFile }: ConfigServiceOptions): ConfigService & AsyncDisposable {
  const sharedSecret = () => {
    try {
      return readAtOnce(sharedSecretFile)
    } catch (cause) {
      throw new Failure({ code: 'CONFIG_INVALID', message: `The shared secret cannot be read: ${messageOf(cause)}.`, cause })
    }
  }
  const dispatcher = createDispatcher({ caFile })
  return { ...createConfigService({ url, sharedSecret, dispatcher }), [Symbol.asyncDispose]: () => dispatcher.destroy() }
}

const TOKEN_LIFETIME_S = 60
const TIMEOUT_MS = 15_000

/** Talks to ConfigService at Pomerium's gRPC address. `sharedSecret` gives the base64 text of the configuration, as it is now. */
export function createConfigService({
  url,
  sharedSecret,
  dispatcher,
}: {
  url: string
  sharedSecret: () => string
  dispatcher: Dispatcher
}): ConfigService {
  const secretNow = () => {
    const secret = Buffer.from(sharedSecret().trim(), 'base64')
    if (secret.length < 32)
      throw new Failure({ code: 'CONFIG_INVALID', message: 'The shared secret of Pomerium must be at least 32 bytes in base64.' })
    return secret
  }
  // One that cannot be used is told at once.
  secretNow()

  async function call(method: string, body: unknown): Promise<unknown> {
    // Exactly one claim: anything more is refused (measured).
    const token = await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).setExpirationTime(`${TOKEN_LIFETIME_S}s`).sign(secretNow())
    const target = new URL(`/pomerium.config.ConfigService/${method}`, url)
    let status: number
    let text: string
    try {
      const answer = await fetch(target, {
        method: 'POST',
        redirect: 'manual',
        dispatcher,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      })
      status = answer.status
      text = await answer.text()
    } catch (cause) {
      const why = messageOf(cause instanceof Error && cause.cause ? cause.cause : cause)
      throw new Failure({
        code: 'GATEWAY_UNREACHABLE',
        message: `Pomerium’s ConfigService at ${target.host} does not answer: ${why}.`,
        cure: 'Check admin.url and admin.caFile.',
        cause,
      })
    }
    if (status === 200) {
      try {
        return parseDigits(text)
      } catch {
        // The error's text may contain a token, so it is not shown.
        throw new Failure({
          code: 'CONFIG_INVALID',
          message: `${target.host} does not answer like Pomerium’s ConfigService.`,
          cure: 'Put Pomerium’s gRPC address into admin.url.',
        })
      }
    }
    if (/Unauthenticated/.test(text)) {
      throw new Failure({
        code: 'CONFIG_INVALID',
        message: 'Pomerium does not accept the shared secret.',
        cure: 'Put the shared_secret of its configuration into admin.sharedSecretFile.',
      })
    }
    throw new Failure({
      code: 'UPSTREAM_ERROR',
      message: `${method} was answered with HTTP ${status}: ${text.slice(0, 200)}.`,
      cure: 'Read Pomerium’s own log.',
    })
  }

  return {
    async create({ userId, description, expiresAt }) {
      if (userId === '')
        throw new Failure({
          code: 'COMMAND_INVALID',
          message: 'A service account needs a user: no policy could allow one without.',
          cure: 'Name one with --user.',
        })
      const created = createdSchema.parse(
        await call('CreateServiceAccount', {
          serviceAccount: { userId, description, ...(expiresAt && { expiresAt: expiresAt.toISOString() }) },
        }),
      )
      return { id: created.serviceAccount.id, jwt: created.jwt }
    },
    list: async () => listSchema.parse(await call('ListServiceAccounts', {})).serviceAccounts,
    delete: async (id) => void (await call('DeleteServiceAccount', { id })),
  }
}
