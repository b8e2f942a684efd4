// node test/conformance/client.ts [--hear] URL: opens a session as a run does, calls each tool that is listed, and prints what it was answered.
import type { GatewayFetch } from '../../src/core/ports/gateway.ts'
import { openSession } from '../../src/mcp/session/session.ts'

const ARGUMENTS = JSON.stringify({ a: 5, b: 3 })
const url = process.argv.at(-1) ?? ''
const hear = process.argv.includes('--hear')
const { signal } = new AbortController()

/** In the place of the gateway's fetch: no account, no journal. */
const plainFetch: GatewayFetch = async (target, { method, headers, body }, context = {}) => {
  const init = { ...(method !== undefined && { method }), ...(headers && { headers }), ...(context.signal && { signal: context.signal }) }
  if (!hear || context.mcp?.rpcMethod !== 'tools/call') return fetch(target, { ...init, ...(body !== undefined && { body }) })
  const questions = await fetch(target, { ...init, method: 'GET' })
  const answer = await fetch(target, { ...init, ...(body !== undefined && { body }) })
  return new Response(merged(answer, questions), { status: answer.status, headers: answer.headers })
}

/**
 * Puts what a server sends on its standalone stream into the stream of a call, until the call is over. Nightshift never opens that stream, so
 * this is how a question that a scenario asks there gets to it.
 */
function merged(answer: Response, questions: Response): ReadableStream<Uint8Array> {
  const ending = new AbortController()
  return new ReadableStream({
    async start(controller) {
      const write = new WritableStream<Uint8Array>({ write: (chunk) => controller.enqueue(chunk) })
      const heard = questions.body?.pipeTo(new WritableStream({ write: (chunk: Uint8Array) => controller.enqueue(chunk) }), ending)
      heard?.catch(() => {})
      await answer.body?.pipeTo(write)
      ending.abort()
      await heard?.catch(() => {})
      controller.close()
    },
  })
}

const session = await openSession(
  {
    server: 'conformance',
    url,
    fetch: plainFetch,
    maxRequestBytes: 65_536,
    timeoutMs: 10_000,
    maxResponseBytes: 16_777_216,
    redact: (text) => text,
  },
  signal,
)
try {
  const { tools } = await session.listTools(['*'], signal)
  for (const tool of tools.keys()) {
    const answer = await session.call(tool, ARGUMENTS, { toolCallId: tool, repeatable: false, written: Promise.resolve(), signal })
    process.stdout.write(`${JSON.stringify({ tool, answer })}\n`)
  }
} finally {
  await session.close()
}
