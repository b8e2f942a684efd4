import { z } from 'zod'
import { isProxyAddress, proxyAt, type Proxying } from './proxy.ts'

/** Stands for what the environment says until that is read. */
const OF_ENVIRONMENT: Proxying = { http: undefined, https: undefined, except: [], isOfEnvironment: true }

const FORM = 'must be environment, or the address of a proxy: http://host:port, with user:password@ before the host where it wants that'

/** `proxy:` of whatever makes requests. Its faults hold no text of it: a password may stand in it. An empty text is none. */
export const proxySetting = (whose: string) =>
  z
    .string()
    .refine((text) => text === '' || text === 'environment' || isProxyAddress(text), FORM)
    .transform((text) => (text === '' ? undefined : text === 'environment' ? OF_ENVIRONMENT : proxyAt(text)))
    .optional()
    .describe(
      `Proxy for requests ${whose}: http://host:port, with user:password@ from a variable, or environment for what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say. It is asked for a tunnel (CONNECT). Without it, requests go straight, whatever the environment says.`,
    )

export const caSetting = (whose: string) =>
  z
    .string()
    .optional()
    .describe(
      `PEM file of a CA that is trusted beside the public ones ${whose}, such as that of a proxy that opens TLS; read for each connection.`,
    )
