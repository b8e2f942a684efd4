import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'

const accountSchema = z.object({
  id: z.string(),
  userId: z.string(),
  description: z.string().exactOptional(),
  expiresAt: z.string().exactOptional(),
  modifiedAt: z.string(),
})

export type DemoAccount = z.output<typeof accountSchema>

const keptSchema = z.object({ secret: z.base64(), accounts: z.array(accountSchema) })

/** The service accounts of the stand-in gateway: tokens as Pomerium makes them (`iat` and `nbf` 0, `exp` only when they expire). */
export interface DemoAccounts {
  create(options: { userId: string; description?: string; expiresAt?: Date }): Promise<{ id: string; jwt: string }>
  get(id: string): DemoAccount | undefined
  list(): DemoAccount[]
  delete(id: string): void
  /** The account of a token; undefined for one that is forged, expired, deleted or no token. */
  verify(jwt: string): Promise<DemoAccount | undefined>
}

/** In memory, or in a file: then they outlive the gateway, as in Pomerium's databroker. */
export function createDemoAccounts(file?: string): DemoAccounts {
  const kept = file !== undefined && existsSync(file) ? keptSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined
  const secret = kept ? Buffer.from(kept.secret, 'base64') : randomBytes(32)
  const accounts = new Map((kept?.accounts ?? []).map((account) => [account.id, account]))
  const keep = () => {
    if (file === undefined) return
    writeFileSync(file, JSON.stringify({ secret: secret.toString('base64'), accounts: [...accounts.values()] }), { mode: 0o600 })
  }
  return {
    get: (id) => accounts.get(id),
    list: () => [...accounts.values()],
    async create({ userId, description, expiresAt }) {
      const account: DemoAccount = {
        id: randomUUID(),
        ...(description !== undefined && { description }),
        userId,
        ...(expiresAt && { expiresAt: expiresAt.toISOString().replace('.000Z', 'Z') }),
        modifiedAt: new Date().toISOString(),
      }
      accounts.set(account.id, account)
      keep()
      const token = new SignJWT({ iat: 0, nbf: 0 }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).setJti(account.id).setSubject(userId)
      if (expiresAt) token.setExpirationTime(expiresAt)
      return { id: account.id, jwt: await token.sign(secret) }
    },
    delete(id) {
      accounts.delete(id)
      keep()
    },
    async verify(jwt) {
      try {
        const { payload } = await jwtVerify(jwt, secret, { algorithms: ['HS256'] })
        return accounts.get(payload.jti ?? '')
      } catch (error) {
        if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined
        throw error
      }
    },
  }
}
