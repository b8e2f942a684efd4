import { once } from 'node:events'
import { createServer } from 'node:net'
import { Agent } from 'undici'
import { z } from 'zod'
import { messageOf } from '../core/failure.ts'
import { parseJson } from '../lib/json/parse.ts'
import { codesOf } from '../lib/net/connection-error.ts'
import { fetchLean } from '../lib/net/http.ts'
import { httpUrl, isLoopback, parseListen } from '../lib/net/listen.ts'
import { failed, ok, type Finding } from './check.ts'

const CHECK = 'api.listen'
const MAX_ANSWER_BYTES = 10_000
const aliveSchema = z.object({ status: z.literal('ok') })

/** Where the API listens: that this machine has the address, and nobody else than a Nightshift has the port. Listens there for a moment where nobody does. */
export async function checkListen(
  { listen, tokens, pomerium }: { listen: string; tokens: object; pomerium?: object | undefined },
  signal: AbortSignal,
): Promise<Finding> {
  const { hostname, port } = parseListen(listen)
  if (!isLoopback(hostname) && Object.keys(tokens).length === 0 && !pomerium)
    return failed(
      CHECK,
      `${listen} is not loopback, and nobody is identified there.`,
      'Configure api.pomerium or api.tokens, or listen on 127.0.0.1.',
      'CONFIG_INVALID',
    )
  const server = createServer()
  try {
    server.listen(port, hostname)
    await once(server, 'listening', { signal })
    return ok(CHECK, `nothing else listens on ${listen}`)
  } catch (error) {
    signal.throwIfAborted()
    if (codesOf(error)[0] === 'EADDRINUSE' && (await isNightshift(hostname, port, signal)))
      return ok(CHECK, `Nightshift listens on ${listen}`)
    return failed(
      CHECK,
      `Nothing of ours can listen on ${listen}: ${messageOf(error)}.`,
      'End what listens there, or name another address with api.listen.',
      'CONFIG_INVALID',
    )
  } finally {
    server.close()
  }
}

/** Where all addresses are listened on, one of them is asked. */
const ASKED: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }

async function isNightshift(hostname: string, port: number, signal: AbortSignal): Promise<boolean> {
  const host = ASKED[hostname] ?? hostname
  const dispatcher = new Agent()
  try {
    const answer = await fetchLean(`${httpUrl(host, port)}/livez`, { dispatcher, signal, maxBytes: MAX_ANSWER_BYTES })
    return answer.ok && aliveSchema.safeParse(parseJson(await answer.text())).success
  } catch {
    signal.throwIfAborted()
    return false
  } finally {
    await dispatcher.destroy()
  }
}
