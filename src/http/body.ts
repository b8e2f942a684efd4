import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { Failure, messageOf } from '../core/failure.ts'
import { isDeeper } from '../lib/json/exact.ts'
import { keyTwice } from '../lib/json/tree.ts'
import { NumberLost, parseJson } from '../lib/json/parse.ts'
import { problemResponse } from './problem.ts'

const MAX_BODY_BYTES = 262_144
/** Of a body with many requests in it. */
const MAX_BATCH_BYTES = 1_048_576
const MAX_DEPTH = 32

const limitOf = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => problemResponse(new Failure({ code: 'BODY_TOO_LARGE', message: `A body may have ${maxSize} bytes here.` })),
  })
const limitOne = limitOf(MAX_BODY_BYTES)
const limitBatch = limitOf(MAX_BATCH_BYTES)

/** Methods without a body; that of TRACE is forbidden. */
const BODILESS = new Set(['GET', 'HEAD', 'TRACE'])

/** Refuses bodies that are too large, before they are read: `BODY_TOO_LARGE`. Those of `batches`, which are paths, may be four times as large. */
export const limitBody =
  (batches: readonly string[]): MiddlewareHandler =>
  (c, next) =>
    batches.includes(c.req.path) ? limitBatch(c, next) : limitOne(c, next)

/**
 * Refuses bodies that are not JSON in UTF-8, nest too deep or have a key twice (`BODY_INVALID`), that are of another kind (`MEDIA_UNSUPPORTED`), or that have an integer which
 * would be kept as another one (`INPUT_INVALID`), before anything looks at them. An empty body is none, whatever its content type.
 */
export const checkBody: MiddlewareHandler = async (c, next) => {
  const { raw } = c.req
  if (BODILESS.has(raw.method)) return next()
  const bytes = Buffer.from(await c.req.arrayBuffer())
  if (bytes.length === 0) {
    const headers = new Headers(raw.headers)
    headers.delete('content-type')
    c.req.raw = new Request(raw.url, { method: raw.method, headers, signal: raw.signal })
    c.req.bodyCache = {}
    return next()
  }
  requireJson(c.req.header('content-type'), c.req.header('content-encoding'))
  const text = decode(bytes)
  if (isDeeper(text, MAX_DEPTH)) throw new Failure({ code: 'BODY_INVALID', message: `The body nests deeper than ${MAX_DEPTH} levels.` })
  requireExact(text)
  const twice = keyTwice(text)
  if (twice !== undefined)
    throw new Failure({ code: 'BODY_INVALID', message: `The body has ${twice} twice: which one counts is not said.` })
  return next()
}

/** The one media type that is read, with parameters of the form that RFC 9110 gives them. */
const JSON_TYPE = /^application\/json[ \t]*((?:;[ \t]*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"[^"\\]*")[ \t]*)*)$/i
const CHARSET = /;[ \t]*charset="?([^";]*)"?/i

function requireJson(type: string | undefined, encoding: string | undefined): void {
  const unsupported = (message: string) => new Failure({ code: 'MEDIA_UNSUPPORTED', message })
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') throw unsupported('The body has a content-encoding.')
  const parameters = JSON_TYPE.exec(type ?? '')?.[1]
  if (parameters === undefined)
    throw unsupported(type === undefined ? 'The body has no content-type.' : 'The content-type of the body is not application/json.')
  const charset = CHARSET.exec(parameters)?.[1]?.trim().toLowerCase()
  if (charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') throw unsupported('The body is in another charset than UTF-8.')
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Failure({ code: 'BODY_INVALID', message: 'The body has bytes that are not UTF-8.', cause })
  }
}

function requireExact(text: string): void {
  try {
    parseJson(text)
  } catch (cause) {
    if (!(cause instanceof NumberLost))
      throw new Failure({ code: 'BODY_INVALID', message: `The body is not JSON: ${messageOf(cause)}.`, cause })
    throw new Failure({
      code: 'INPUT_INVALID',
      message: `In the body ${cause.message}.`,
      cure: 'Send a number of so many digits as a text.',
    })
  }
}
