// @ts-nocheck
import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'
import type { DemoAccount } from './accounts.ts'

/** Identity assertions for routes with pass_identity_headers: ES256, `iss` and `aud` the route's host, valid for 300 s. */
export interface Assertions {
  jwks: { keys: JWK[] }
  sign(account: DemoAccount, hostname: string): Promise<string>
}

const LIFETIME_S = 300

export async function createAssertions(): Promise<Assertions> {
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return {
    jwks: { keys: [{ use: 'sig', ...jwk, kid, alg: 'ES256' }] },
    sign(account, hostname) {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT({ sid: account.id, user: account.userId, email: '', groups: [], name: '' })
        .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
        .setIssuer(hostname)
        .setAudience(hostname)
        .setSubject(account.userId)
        .setJti(randomUUID())
        .setIssuedAt(now)
        .setExpirationTime(now + LIFETIME_S)
        .sign(privateKey)
    },
  }
}
