// @ts-nocheck
import { randomBytes, randomUUID } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'

export interface DemoAccount {
  id: string
  userId: string
  description?: string
  expiresAt?: string
  modifiedAt: string
}

/** The service accounts of the stand-in gateway: tokens as Pomerium makes them (`iat` and `nbf` 0, `exp` only when they expire). */
export interface DemoAccounts {
  create(options: { userId: string; description?: string; expiresAt?: Date }): Promise<{ id: string; jwt: string }>
  get(id: string): DemoAccount | undefined
  list(): DemoAccount[]
  delete(id: string): void
  /** The account of a token; undefined for one that is forged, expired, deleted or no token. */
  verify(jwt: string): Promise<DemoAccount | undefined>
}

export function createDemoAccounts(): DemoAccounts {
  const secret = randomBytes(32)
  const accounts = new Map<string, DemoAccount>()
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
      const token = new SignJWT({ iat: 0, nbf: 0 }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).setJti(account.id).setSubject(userId)
      if (expiresAt) token.setExpirationTime(expiresAt)
      return { id: account.id, jwt: await token.sign(secret) }
    },
    delete: (id) => void accounts.delete(id),
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
