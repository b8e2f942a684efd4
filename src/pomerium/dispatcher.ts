import { Agent, type Dispatcher } from 'undici'
import { Failure, messageOf } from '../core/failure.ts'
import { parseListen } from '../lib/net/listen.ts'
import { createConnector, type WayOptions } from '../lib/net/way/connector.ts'

export interface DispatcherOptions extends WayOptions {
  /** host:port to connect to, whatever a route's host resolves to. Host header and TLS name stay the route's. */
  address?: string | undefined
  /** Which hosts the address is for; all when not given. Others are found by their name. */
  isServed?: (hostname: string) => boolean
  /** Most connections to each route's host; further requests wait for one. */
  connections?: number
}

const KEEP_ALIVE_MS = 30_000

/** Connections to the gateway. It has no time-outs for responses: a tool may be silent until its call's limit. `CONFIG_INVALID` when the CA file cannot be used. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const connector = connectorOf(options)
  const address = options.address === undefined ? undefined : parseListen(options.address)
  return new Agent({
    connections: options.connections ?? null,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: address
      ? (target, done) => {
          if (options.isServed?.(target.hostname) === false) return connector(target, done)
          connector(
            {
              ...target,
              hostname: address.hostname,
              port: String(address.port),
              host: `${address.hostname}:${address.port}`,
              servername: target.servername || target.hostname,
            },
            done,
          )
        }
      : connector,
  })
}

function connectorOf(options: DispatcherOptions) {
  try {
    return createConnector(options)
  } catch (cause) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `gateway.caFile ${options.caFile} cannot be used: ${messageOf(cause)}.`,
      cause,
    })
  }
}
