import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import { buildConnector } from 'undici'
import { readAtOnce } from '../../files/read-at-once.ts'
import type { Proxying } from './proxy.ts'
import { proxyFor } from './proxy.ts'
import { openTunnel } from './tunnel.ts'

export interface WayOptions {
  /** PEM file of a CA that is trusted beside the public ones, of the server and of a proxy. It is read for each connection, so that it may be replaced; one that cannot be used leaves in force what was. */
  caFile?: string | undefined
  /** Without it, each server is asked straight. */
  proxy?: Proxying | undefined
  /** Longest wait for a connection to stand; through a proxy for each of its two parts. */
  timeoutMs?: number
}

const CONNECT_MS = 10_000

/**
 * What connects to a server, straight or through a proxy. A proxy is asked for a tunnel, also to a server without TLS: it is given no header of a request, and every
 * request is sent as it would be without one. What fails before the tunnel stands is a `ProxyError`: nothing was sent. Throws an `Error` when the CA file cannot be used.
 */
export function createConnector({ caFile, proxy: proxying, timeoutMs = CONNECT_MS }: WayOptions): buildConnector.connector {
  const direct = trustingConnector(caFile, (secureContext) => buildConnector({ timeout: timeoutMs, ...secureContext }))
  if (proxying === undefined) return (target, done) => direct()(target, done)
  const toProxy = trustingConnector(caFile, (secureContext) => buildConnector({ timeout: timeoutMs, allowH2: false, ...secureContext }))
  return (target, done) => {
    const proxy = proxyFor({ ...target, port: target.port }, proxying)
    if (!proxy) return direct()(target, done)
    openTunnel({ proxy, target, connector: toProxy(), timeoutMs }).then(
      (socket) => {
        if (target.protocol !== 'https:') return done(null, socket)
        direct()({ ...target, httpSocket: socket }, done)
      },
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), null),
    )
  }
}

type Trust = { secureContext?: SecureContext }

/** What makes connections by the CA file as it is now. */
function trustingConnector(caFile: string | undefined, make: (trust: Trust) => buildConnector.connector): () => buildConnector.connector {
  if (caFile === undefined) {
    const connector = make({})
    return () => connector
  }
  let known = ''
  // Made once for each text: with `ca` in its place each connection would parse all root certificates, and keep them (1 MB).
  const trusting = (pem: string) => {
    const connector = make({ secureContext: createSecureContext({ ca: [...rootCertificates, pem] }) })
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
  const pem = readAtOnce(file)
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('it holds no PEM certificate')
  return pem
}
