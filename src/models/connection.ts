import { Agent } from 'undici'
import { Failure, messageOf } from '../core/failure.ts'
import { fetchLean, type LeanInit } from '../lib/net/http.ts'
import { createConnector, type WayOptions } from '../lib/net/way/connector.ts'
import { countPost } from './asked.ts'
import { readError } from './errors/answer.ts'

/** Which way requests to a provider go, and whom they trust on it. */
export type ProviderWay = Pick<WayOptions, 'proxy' | 'caFile'>

export interface ConnectionOptions extends ProviderWay {
  /** Its name in the configuration. */
  name: string
  /** Longest silence within an answer; the client itself waits as long for an answer to begin. */
  timeoutMs: number
  /** Most bytes of one answer, unpacked and with all that a stream sends around it. */
  maxResponseBytes: number
  /** The headers that are sent, of those that the client would send: some take more of them from the environment. */
  ownHeaders: (given: Headers) => Headers
}

/** A pool of connections to one provider, as a `fetch` for its client. `CONFIG_INVALID` when its CA file cannot be used. */
export function createConnection({ name, timeoutMs, maxResponseBytes, ownHeaders, ...way }: ConnectionOptions) {
  // The client's time-out ends with the headers: silence in what follows is bounded here. undici's own for headers (300 s) is off.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: timeoutMs, keepAliveTimeout: 30_000, connect: connectorOf(name, way) })
  async function send(url: string, init: Omit<LeanInit, 'dispatcher'>): Promise<Response> {
    const answer = await countPost(() =>
      // oxlint-disable-next-line waits/bounded -- `init` has the client's signal, which ends with the time-out and with the call
      fetchLean(url, {
        ...init,
        headers: ownHeaders(new Headers(init.headers)),
        dispatcher,
        maxBytes: maxResponseBytes,
        limitName: `providers.${name}.maxResponseBytes`,
      }),
    )
    // Each protocol has its own name for the id of a request; whoever reads it looks for one.
    const requestId = answer.headers.get('request-id')
    if (requestId !== null && !answer.headers.has('x-request-id')) answer.headers.set('x-request-id', requestId)
    return answer.ok ? answer : await readError(answer)
  }
  return {
    // oxlint-disable-next-line no-unsafe-type-assertion -- the clients send text only, and no Request
    fetch: send as unknown as typeof globalThis.fetch,
    close: (): Promise<void> => dispatcher.destroy(),
  }
}

function connectorOf(name: string, { proxy, caFile }: ProviderWay) {
  try {
    return createConnector({ proxy, caFile })
  } catch (cause) {
    throw new Failure({ code: 'CONFIG_INVALID', message: `providers.${name}.caFile ${caFile} cannot be used: ${messageOf(cause)}.`, cause })
  }
}
