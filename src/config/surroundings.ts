import type { Environment } from './environment.ts'
import { proxiedParts } from './proxies.ts'

/** Something in the environment that other programs go by, and that means nothing or harm here. */
export interface Remark {
  message: string
  cure: string
}

const PROXIES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()])

/** What of the environment whoever set it would miss, or has to know. Names of variables alone: the address of a proxy may hold a password. */
export function remarksOn(env: Environment, config: Parameters<typeof proxiedParts>[0]): Remark[] {
  const isSet = (name: string) => (env[name] ?? '') !== ''
  const proxies = PROXIES.filter(isSet)
  const straight = proxiedParts(config).filter(({ proxy }) => proxy === undefined)
  return [
    ...(proxies.length === 0 || straight.length === 0
      ? []
      : [
          {
            message: `${proxies.join(', ')} ${proxies.length === 1 ? 'is' : 'are'} set, and not used for ${straight.map(({ name }) => name).join(', ')}: these requests go straight to their addresses, with NO_PROXY and NODE_USE_ENV_PROXY or without, and so do connections to Postgres and Redis.`,
            cure: 'Where the proxy is the way out, say proxy: environment there: gateway.proxy, providers.<name>.proxy, webhooks.<name>.proxy.',
          },
        ]),
    ...(env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
      ? [
          {
            message: 'NODE_TLS_REJECT_UNAUTHORIZED is 0: no certificate is checked, so that whoever is on the way gets tokens and keys.',
            cure: 'Take it out; name the CA with caFile of the gateway, the provider or the webhook, or for all in NODE_EXTRA_CA_CERTS.',
          },
        ]
      : []),
  ]
}
