import { createSecureContext, rootCertificates } from 'node:tls'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { Failure, messageOf } from '../core/failure.ts'
import { readAtOnce } from '../lib/files/read-at-once.ts'

export interface DispatcherOptions {
  /** host:port to connect to, whatever a route's host resolves to. Host header and TLS name stay the route's. */
  address?: string | undefined
  /** Which hosts the address is for; all when not given. Others are found by their name. */
  isServed?: (hostname: string) => boolean
  /** PEM file of a CA that is trusted beside the system's. It is read for each connection, so that it may be replaced; one that cannot be used leaves in force what was. */
  caFile?: string | undefined
  connectTimeoutMs?: number
  /** Most connections to each route's host; further requests wait for one. */
  connections?: number
}

const KEEP_ALIVE_MS = 30_000
const CONNECT_MS = 10_000

/** Connections to the gateway. It has no time-outs for responses: a tool may be silent until its call's limit. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const connector = createConnector(options)
  const address = options.address === undefined ? undefined : parseAddress(options.address)
  return new Agent({
    connections: options.connections ?? null,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: address
      ? (target, done) => {
          if (options.isServed?.(target.hostname) === false) return connector()(target, done)
          connector()(
            {
              ...target,
              hostname: address.hostname,
              port: address.port,
              host: `${address.hostname}:${address.port}`,
              servername: target.servername || target.hostname,
            },
            done,
          )
        }
      : (target, done) => connector()(target, done),
  })
}

/** What makes connections by the CA file as it is now. Throws `CONFIG_INVALID` when there is none that can be used. */
function createConnector({ caFile, connectTimeoutMs: timeout = CONNECT_MS }: DispatcherOptions): () => buildConnector.connector {
  if (caFile === undefined) {
    const connector = buildConnector({ timeout })
    return () => connector
  }
  let known = ''
  // Made once for each text: with `ca` in its place each connection would parse all root certificates, and keep them (1 MB).
  const trusting = (pem: string) => {
    const connector = buildConnector({ timeout, secureContext: createSecureContext({ ca: [...rootCertificates, pem] }) })
    known = pem
    return connector
  }
  let connector = trusting(readCa(caFile))
  return () => {
    try {
      const pem = readCa(caFile)
      if (pem !== known) connector = trusting(pem)
    } catch {
      // It may be half written. Whoever asks doctor is told.
    }
    return connector
  }
}

function readCa(file: string): string {
  try {
    const pem = readAtOnce(file)
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no PEM certificate')
    return pem
  } catch (cause) {
    throw new Failure({ code: 'CONFIG_INVALID', message: `gateway.caFile ${file} cannot be used: ${messageOf(cause)}.`, cause })
  }
}

function parseAddress(address: string): { hostname: string; port: string } {
  const at = address.lastIndexOf(':')
  return { hostname: address.slice(0, at).replace(/^\[|\]$/g, ''), port: address.slice(at + 1) }
}
