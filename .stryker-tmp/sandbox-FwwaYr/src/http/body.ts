// @ts-nocheck
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { Failure } from '../core/failure.ts'
import { problemResponse } from './problem.ts'

const MAX_BODY_BYTES = 262_144
const MAX_DEPTH = 32

const tooLarge = () =>
  problemResponse(new Failure({ code: 'REQUEST_TOO_LARGE', message: `A body may have ${MAX_BODY_BYTES} bytes.`, cure: 'Send less.' }))

/** Refuses bodies that are too large, before they are read. */
export const limitBody: MiddlewareHandler = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge })

/** Refuses bodies that are not JSON, or that nest too deep, before anything looks at them. */
export const checkBody: MiddlewareHandler = async (c, next) => {
  if (c.req.method !== 'POST' && c.req.method !== 'PUT') return next()
  const bytes = Buffer.from(await c.req.arrayBuffer())
  if (bytes.length === 0) return next()
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
    return problemResponse(new Failure({ code: 'REQUEST_INVALID', message: 'The body must have the content-type application/json.' }))
  const depth = depthOf(bytes)
  if (depth > MAX_DEPTH) return problemResponse(new Failure({ code: 'REQUEST_INVALID', message: `A body may nest ${MAX_DEPTH} deep.` }))
  return next()
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** How deep the brackets outside of texts nest: known before the JSON is parsed. */
function depthOf(bytes: Buffer): number {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (inText) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) inText = false
    } else if (byte === QUOTE) inText = true
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return deepest
}
