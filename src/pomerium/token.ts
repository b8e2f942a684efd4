import { statSync } from 'node:fs'
import { decodeJwt } from 'jose'
import { Failure, messageOf } from '../core/failure.ts'
import { readAtOnce } from '../lib/files/read-at-once.ts'

export interface Token {
  /** The JWT alone. A secret. */
  jwt: string
  /** The service account id (`jti`), as Pomerium's log names it. */
  accountId: string
  /** The user that the account acts as (`sub`): what policy allows. */
  userId: string
  /** Undefined: never expires. `iat` says nothing in these tokens (measured). */
  expiresAt: Date | undefined
}

export interface TokenSource {
  /** The current token; the file is read again when it changed. Throws `TOKEN_REJECTED` when there is no usable one. */
  current(): Token
  /** The token was not accepted: the file is looked at anew at the next request. */
  recheck?(): void
}

const SCHEMES = /^(Bearer\s+Pomerium-|Pomerium[\s-]|Bearer\s+)/i
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/
const FILE_CHECK_MS = 1000

/** Makes the source of an account's token: from a file, re-read when it is replaced, or fixed. */
export function createTokenSource(options: {
  account: string
  token?: string | undefined
  file?: string | undefined
  /** Where a token is to be put, for the cure; the file, or the key of the configuration, when not given. */
  place?: string
  /** Called with each token before its first use, so that it is redacted from then on. */
  onToken?: (jwt: string) => void
  /** On the monotonic clock, in ms. */
  now?: () => number
}): TokenSource {
  const { account, file, place = file ?? `accounts.${account}.token`, onToken = () => {}, now = () => performance.now() } = options
  const parse = (text: string, where: string) => {
    const token = parseToken(text, where, `Put the JWT that Pomerium gave for account ${account} into ${place}.`)
    onToken(token.jwt)
    return token
  }
  if (file === undefined) {
    let fixed: Token | undefined
    return {
      current: () => (fixed ??= parse(options.token ?? '', `the token of account ${account}`)),
    }
  }
  let known: { token: Token; stamp: string } | undefined
  let checkedAt = Number.NEGATIVE_INFINITY
  return {
    recheck: () => (checkedAt = Number.NEGATIVE_INFINITY),
    current() {
      if (known && now() - checkedAt < FILE_CHECK_MS) return known.token
      const where = `the token file ${file} of account ${account}`
      try {
        const { mtimeMs, size, ino } = statSync(file)
        const stamp = `${mtimeMs} ${size} ${ino}`
        if (known?.stamp !== stamp) known = { token: parse(readAtOnce(file), where), stamp }
        checkedAt = now()
        return known.token
      } catch (cause) {
        if (cause instanceof Failure) throw cause
        throw new Failure({
          code: 'TOKEN_REJECTED',
          message: `${where[0]?.toUpperCase()}${where.slice(1)} cannot be read: ${messageOf(cause)}.`,
          cause,
        })
      }
    },
  }
}

/** Reads a token; white space around it and the scheme `Bearer` before it are removed. */
function parseToken(text: string, where: string, cure: string): Token {
  const jwt = text.trim().replace(SCHEMES, '')
  const fail = (why: string) =>
    new Failure({
      code: 'TOKEN_REJECTED',
      message: `${where[0]?.toUpperCase()}${where.slice(1)} ${why}.`,
      cure,
    })
  if (jwt === '') throw fail('is empty')
  if (/\s/.test(jwt)) throw fail('has white space inside; it may hold more than one token')
  // Checked here: an invalid header value would appear, with the token, in the HTTP client's error.
  if (!JWT.test(jwt)) throw fail('does not hold a JWT')
  let claims: ReturnType<typeof decodeJwt>
  try {
    claims = decodeJwt(jwt)
  } catch {
    throw fail('does not hold a JWT')
  }
  if (typeof claims.jti !== 'string' || claims.jti === '') throw fail('holds a JWT without jti: it is not a service account’s')
  const expiresAt = typeof claims.exp === 'number' ? new Date(claims.exp * 1000) : undefined
  if (expiresAt && Number.isNaN(expiresAt.getTime())) throw fail('holds a JWT whose exp is not a time')
  return { jwt, accountId: claims.jti, userId: claims.sub ?? '', expiresAt }
}

/** Throws `TOKEN_REJECTED` when the token is expired, `TOKEN_EXPIRES_TOO_SOON` when it would not last until `deadline`. */
export function checkLifetime(account: string, token: Token, now: Date, deadline: Date): void {
  if (!token.expiresAt) return
  const at = token.expiresAt.toISOString()
  if (token.expiresAt <= now) throw new Failure({ code: 'TOKEN_REJECTED', message: `The token of account ${account} expired at ${at}.` })
  if (token.expiresAt < deadline) {
    throw new Failure({
      code: 'TOKEN_EXPIRES_TOO_SOON',
      message: `The token of account ${account} expires at ${at}, before this attempt’s deadline ${deadline.toISOString()}.`,
    })
  }
}
