import type { MiddlewareHandler } from 'hono'
import { Failure } from '../core/failure.ts'
import { problemResponse } from './problem.ts'

const MAX_BODY_BYTES = 262_144
const MAX_DEPTH = 32

/** Refuses bodies that are too large, that are not JSON, or that nest too deep, before anything looks at them. */
export const checkBody: MiddlewareHandler = async (c, next) => {
  if (c.req.method !== 'POST' && c.req.method !== 'PUT') return next()
  const bytes = await readCapped(c.req.raw.clone().body)
  if (bytes === undefined)
    return problemResponse(
      new Failure({ code: 'REQUEST_TOO_LARGE', message: `A body may have ${MAX_BODY_BYTES} bytes.`, cure: 'Send less.' }),
    )
  if (bytes.length === 0) return next()
  if (!/^application\/json\b/i.test(c.req.header('content-type') ?? ''))
    return problemResponse(new Failure({ code: 'REQUEST_INVALID', message: 'The body must have the content-type application/json.' }))
  const depth = depthOf(bytes)
  if (depth > MAX_DEPTH) return problemResponse(new Failure({ code: 'REQUEST_INVALID', message: `A body may nest ${MAX_DEPTH} deep.` }))
  return next()
}

async function readCapped(body: ReadableStream<Uint8Array> | null): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
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
