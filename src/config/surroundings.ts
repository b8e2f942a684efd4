import type { Environment } from './environment.ts'

/** Something in the environment that other programs go by, and that means nothing or harm here. */
export interface Remark {
  message: string
  cure: string
}

const PROXIES = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()])

/** What of the environment whoever set it would miss, or has to know. Names of variables alone: the address of a proxy may hold a password. */
export function remarksOn(env: Environment): Remark[] {
  const isSet = (name: string) => (env[name] ?? '') !== ''
  const proxies = PROXIES.filter(isSet)
  return [
    ...(proxies.length === 0
      ? []
      : [
          {
            message: `${proxies.join(', ')} ${proxies.length === 1 ? 'is' : 'are'} set and not used, with NO_PROXY and NODE_USE_ENV_PROXY or without: requests to models, webhooks and the gateway go straight to their addresses, and so do connections to Postgres and Redis.`,
            cure: 'Let this machine reach them without a proxy, or name a server that passes requests on: providers.<name>.baseUrl, webhooks.<name>.url.',
          },
        ]),
    ...(env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0'
      ? [
          {
            message: 'NODE_TLS_REJECT_UNAUTHORIZED is 0: no certificate is checked, so that whoever is on the way gets tokens and keys.',
            cure: 'Take it out; name the CA with gateway.caFile, or for all others in NODE_EXTRA_CA_CERTS.',
          },
        ]
      : []),
  ]
}
