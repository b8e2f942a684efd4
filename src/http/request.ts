import type { MiddlewareHandler } from 'hono'
import { Failure } from '../core/failure.ts'

/** Refuses an address with invalid escapes, such as `%zz` or `%ff` (`REQUEST_INVALID`), so that later decoding cannot fail. */
export const checkAddress: MiddlewareHandler = async (c, next) => {
  try {
    decodeURIComponent(new URL(c.req.url).pathname)
    decodeURIComponent(new URL(c.req.url).search)
  } catch (cause) {
    throw new Failure({ code: 'REQUEST_INVALID', message: 'The address has an escape that is no character: %XX must be UTF-8.', cause })
  }
  return next()
}

/**
 * Refuses a change that a page of another site asked for (`ORIGIN_REFUSED`): a browser sends its user's credentials along (CSRF). Browsers name the site in
 * Sec-Fetch-Site, older ones in Origin, which must then be this address or `host()`.
 */
export function refuseCrossSite(host: () => string | undefined): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next()
    const site = c.req.header('sec-fetch-site')
    const origin = c.req.header('origin')
    const isOurs =
      site === undefined
        ? origin === undefined || [new URL(c.req.url).host, host()].includes(hostOf(origin))
        : site === 'same-origin' || site === 'none'
    if (!isOurs) throw new Failure({ code: 'ORIGIN_REFUSED', message: `The request comes from another site (${site ?? 'Origin'}).` })
    return next()
  }
}

const hostOf = (origin: string): string => (URL.canParse(origin) ? new URL(origin).host : '')

/**
 * What each answer says beside its content: the id that the log knows the request by, that it is for no cache unless a route says otherwise (it may have
 * prompts and outputs in it), and once `ending` is aborted that its connection ends with it.
 */
export function finishAnswer(ending: AbortSignal): MiddlewareHandler {
  return async (c, next) => {
    await next()
    c.res.headers.set('x-request-id', c.get('requestId'))
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
    if (ending.aborted) c.res.headers.set('connection', 'close')
  }
}
