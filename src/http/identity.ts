import { createHash, timingSafeEqual } from 'node:crypto'
import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import type { Caller, Grant } from '../core/caller.ts'
import { Failure, messageOf } from '../core/failure.ts'
import { pause } from '../lib/time/pause.ts'
import { codesOf } from '../lib/net/connection-error.ts'
import { showLine, storeText } from '../lib/text.ts'

/** Who may call, and what: it may change while the process serves. */
export interface Callers {
  /** `expires`: the token is good until then; without it, for ever. */
  tokens: Readonly<Record<string, Grant & { sha256: string; expires?: Date | undefined }>>
  users: Readonly<Record<string, Grant>>
  groups: Readonly<Record<string, Grant>>
}

/** The API's own route in Pomerium. */
export interface PomeriumRoute {
  /** The route's host, without port: `aud` and `iss` of its assertions. */
  audience: string
  jwksUrl: string
}

export interface IdentityOptions {
  /** Asked at each request. */
  callers: () => Callers
  /** Asked at each request. */
  pomerium: () => PomeriumRoute | undefined
  /** Told of each use of a token, by its digest. */
  onToken: (sha256: string) => void
  /** Told of each request that came through the gateway, by the id that it has there, before it is served. */
  onServed: (request: { requestId: string; host: string }) => Promise<void>
  /** Gets the keys, by the way that the gateway is reached. */
  fetch: typeof fetch
}

/** Identifies the caller. Throws `UNAUTHENTICATED`, `FORBIDDEN` for a known user without a role, or `GATEWAY_UNREACHABLE` while there are no keys. */
export type Authenticate = (headers: Headers) => Promise<Caller>

const BEARER = /^Bearer +(nsk_[\w-]{20,200})$/i
const OTHER_TOKEN = 'Ask who runs Nightshift for another.'
const SEND_TOKEN = 'Send Authorization: Bearer nsk_…; nightshift api-token makes a token, and the line of the configuration that knows it.'
const ASSERTION = 'x-pomerium-jwt-assertion'
/** As gateways make them. */
const REQUEST_ID = /^[\w-]{1,100}$/
const CLOCK_TOLERANCE_S = 30
/** Pomerium signs with its `signing_key`, by what kind of key that is: elliptic (also the one that it makes itself) or RSA. */
const ALGORITHMS = ['ES256', 'RS256']
/** Pomerium signs one for each request; it holds for five minutes. */
const MAX_AGE_S = 300
/** For Pomerium to answer with its keys. */
const KEYS_TIMEOUT_MS = 5000
/** Between two looks at the keys for one that is not known: whoever sends assertions of unknown keys causes no more than these. */
const KEYS_COOLDOWN_MS = 2000
const RETRY_AFTER_MS = 5000
/** What the names of API tokens begin with, and the name of no user. */
const TOKEN_PREFIX = 'token:'
/** The keys could not be loaded, so nothing is known of the assertion. */
const NO_KEYS: ReadonlySet<string> = new Set([errors.JOSEError.code, errors.JWKSTimeout.code, errors.JWKSInvalid.code])

const claimsSchema = z.looseObject({
  sub: z.string().min(1),
  user: z.string().optional().catch(undefined),
  email: z.string().optional().catch(undefined),
  groups: z.array(z.string()).catch([]),
})

/** Identifies callers by Pomerium's assertion or by an API token. No message contains what a caller sent. */
export function createAuthenticate({ callers, pomerium: route, onToken, onServed, fetch }: IdentityOptions): Authenticate {
  let keySet: { jwksUrl: string; keys: JWTVerifyGetKey } | undefined
  function keysOf({ jwksUrl }: PomeriumRoute): JWTVerifyGetKey {
    if (keySet?.jwksUrl !== jwksUrl) keySet = { jwksUrl, keys: keysAt(jwksUrl, fetch) }
    return keySet.keys
  }

  function byToken(token: string): Caller | undefined {
    const hash = createHash('sha256').update(token).digest()
    const known = Object.entries(callers().tokens).map(([name, { sha256, expires, ...grant }]) => ({
      name,
      sha256,
      hash: Buffer.from(sha256, 'hex'),
      expires,
      grant,
    }))
    // Constant time: every hash is compared, whichever matches.
    const [found] = known.filter((one) => timingSafeEqual(one.hash, hash))
    if (!found) return undefined
    const { name, sha256, expires, grant } = found
    // oxlint-disable-next-line house/steady-clock -- a moment that a person wrote down
    if (expires !== undefined && expires.getTime() <= Date.now())
      throw new Failure({
        code: 'UNAUTHENTICATED',
        message: `The API token ${showLine(name)} expired at ${expires.toISOString()}.`,
        cure: OTHER_TOKEN,
      })
    onToken(sha256)
    return { name: `${TOKEN_PREFIX}${name}`, grants: [grant] }
  }

  async function byAssertion(assertion: string, requestId: string | null): Promise<Caller> {
    const pomerium = route()
    if (!pomerium)
      throw new Failure({
        code: 'ASSERTION_INVALID',
        message: 'The request has an assertion of Pomerium, and api.pomerium is not configured.',
      })
    const { audience } = pomerium
    const { payload } = await jwtVerify(assertion, keysOf(pomerium), {
      audience,
      issuer: issuersOf(audience),
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_S,
      maxTokenAge: MAX_AGE_S,
      requiredClaims: ['exp', 'sub'],
    }).catch((cause: unknown) => {
      if (!(cause instanceof errors.JOSEError) || NO_KEYS.has(cause.code))
        throw new Failure({
          code: 'GATEWAY_UNREACHABLE',
          message: `The keys of Pomerium's assertions cannot be had: ${reasonOf(cause)}.`,
          cure: 'Check api.pomerium.jwksUrl, and the gateway and its settings where the keys are there.',
          retryAfterMs: RETRY_AFTER_MS,
          cause,
        })
      throw new Failure({ code: 'ASSERTION_INVALID', message: `Pomerium's assertion is not valid: ${faultOf(cause, audience)}.`, cause })
    })
    // Also one whose user has no role: its line is there as well.
    if (requestId !== null && REQUEST_ID.test(requestId)) await onServed({ requestId, host: audience })
    const claims = claimsSchema.safeParse(payload)
    if (!claims.success) throw new Failure({ code: 'ASSERTION_INVALID', message: 'The assertion of Pomerium names no user.' })
    const { sub, user, email, groups } = claims.data
    const name = storeText(email !== undefined && email !== '' ? email : sub)
    if (name.startsWith(TOKEN_PREFIX))
      throw new Failure({ code: 'ASSERTION_INVALID', message: `The assertion names a user as API tokens are named: ${showLine(name)}.` })
    const { users, groups: ours } = callers()
    const grants = [
      ...[...new Set([sub, user])].flatMap((one) => own(users, one)),
      ...(email === undefined ? [] : ofEmail(users, email)),
      ...groups.flatMap((group) => own(ours, group)),
    ]
    if (grants.length === 0) throw new Failure({ code: 'FORBIDDEN', message: `The user ${showLine(name)} has no role.` })
    return { name, grants }
  }

  /** Why nobody is known, with a way to be known that there is here. */
  function unknown(isSent: boolean, isToken: boolean): Failure {
    const message = isToken
      ? 'The API token is none that the configuration knows.'
      : isSent
        ? 'Authorization is not Bearer with an API token: they begin with nsk_.'
        : 'The request says nothing of who asks.'
    const isOnlyTokens = route() === undefined
    return new Failure({ code: 'UNAUTHENTICATED', message, ...(isToken ? { cure: OTHER_TOKEN } : isOnlyTokens && { cure: SEND_TOKEN }) })
  }

  return async (headers) => {
    const assertion = headers.get(ASSERTION)
    if (assertion !== null) return byAssertion(assertion, headers.get('x-request-id'))
    const authorization = headers.get('authorization')
    const token = BEARER.exec(authorization ?? '')?.[1]
    const caller = token === undefined ? undefined : byToken(token)
    if (!caller) throw unknown(authorization !== null, token !== undefined)
    return caller
  }
}

/** By Pomerium's jwt_issuer_format: the route's host, or its address. */
const issuersOf = (audience: string): string[] => [audience, `https://${audience}/`]

/** The public keys at an address. One that is not known is waited for as long as they may not be asked for again: it may have come into use since they were loaded. */
function keysAt(url: string, fetch: typeof globalThis.fetch): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(new URL(url), {
    [customFetch]: fetch,
    timeoutDuration: KEYS_TIMEOUT_MS,
    cooldownDuration: KEYS_COOLDOWN_MS,
  })
  return async (header, token) => {
    const wasJustLoaded = keys.coolingDown
    try {
      return await keys(header, token)
    } catch (error) {
      if (!wasJustLoaded || !(error instanceof errors.JWKSNoMatchingKey)) throw error
      await pause(KEYS_COOLDOWN_MS, AbortSignal.timeout(KEYS_TIMEOUT_MS))
      return keys(header, token)
    }
  }
}

/** Why keys could not be loaded: `fetch failed` says nothing, the code of its cause does, and names no address to a stranger. */
const reasonOf = (error: unknown): string => codesOf(error)[0] ?? messageOf(error)

/** What does not hold, with what should be; of what was sent only the name of a claim. */
function faultOf(error: errors.JOSEError, audience: string): string {
  if (error instanceof errors.JWTExpired) return 'it has expired'
  if (error instanceof errors.JOSEAlgNotAllowed) return `it is not signed with ${ALGORITHMS.join(' or ')}`
  if (error instanceof errors.JWKSNoMatchingKey) return 'its key is not among those at api.pomerium.jwksUrl'
  if (!(error instanceof errors.JWTClaimValidationFailed)) return error.code
  const { claim } = error
  if (claim === 'iss') return `its claim iss is not ${issuersOf(audience).join(' or ')}`
  return claim === 'aud' ? `its claim aud is not ${audience}` : messageOf(error)
}

/** Grants of an email, which is the same in upper and lower case. */
const ofEmail = (grants: Readonly<Record<string, Grant>>, email: string): Grant[] =>
  Object.entries(grants).flatMap(([name, grant]) => (name.toLowerCase() === email.toLowerCase() ? [grant] : []))

const own = (grants: Readonly<Record<string, Grant>>, name: string | undefined): Grant[] => {
  const grant = name !== undefined && Object.hasOwn(grants, name) ? grants[name] : undefined
  return grant ? [grant] : []
}
