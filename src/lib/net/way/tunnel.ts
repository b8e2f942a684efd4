import type { Socket } from 'node:net'
import { Client, type buildConnector } from 'undici'
import { PROXY_ERROR } from '../connection-error.ts'
import { proxyAuthorization, showProxy } from './proxy.ts'

/** A proxy gave no tunnel, so the server was sent nothing. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError'
  readonly code = PROXY_ERROR
}

export interface TunnelOptions {
  proxy: URL
  target: Pick<buildConnector.Options, 'hostname' | 'port' | 'protocol'>
  /** What connects to the proxy. */
  connector: buildConnector.connector
  timeoutMs: number
}

/** Asks a proxy for a connection to a host and port, by CONNECT. Rejects with a `ProxyError`, also when it has not answered in time. */
export async function openTunnel({ proxy, target, connector, timeoutMs }: TunnelOptions): Promise<Socket> {
  const host = target.hostname.includes(':') && !target.hostname.startsWith('[') ? `[${target.hostname}]` : target.hostname
  const place = `${host}:${target.port || (target.protocol === 'https:' ? '443' : '80')}`
  const authorization = proxyAuthorization(proxy)
  // One for each tunnel: a client asks one thing after the other, and a proxy that is silent about one server would hold up all.
  const client = new Client(proxy.origin, { connect: connector, headersTimeout: timeoutMs })
  try {
    const { statusCode, socket } = await client.connect({
      path: place,
      headers: { host: place, ...(authorization !== undefined && { 'proxy-authorization': authorization }) },
      signal: AbortSignal.timeout(2 * timeoutMs),
    })
    if (statusCode >= 200 && statusCode < 300) return takeOver(socket)
    socket.destroy()
    throw new ProxyError(`the proxy ${showProxy(proxy)} answers with ${statusCode} to whoever wants to reach ${place}${cureOf(statusCode)}`)
  } catch (error) {
    if (error instanceof ProxyError) throw error
    throw new ProxyError(
      `the proxy ${showProxy(proxy)} cannot be gone through: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    )
  } finally {
    void client.close().catch(() => {})
  }
}

const cureOf = (status: number) =>
  status === 407 ? ': it wants another user or password' : status === 403 ? ': it does not allow that' : ''

/** The socket of a tunnel; undici calls it a stream. */
function takeOver(socket: object): Socket {
  // oxlint-disable-next-line no-unsafe-type-assertion -- it is the one that the connector made
  return socket as Socket
}
