import { Failure, messageOf } from '../core/failure.ts'
import { proxyingOf, type Proxying } from '../lib/net/way/proxy.ts'
import type { Environment } from './environment.ts'
import type { ConfigValues } from './schema.ts'

type Proxied = Pick<ConfigValues, 'gateway' | 'providers' | 'webhooks'>

/** The parts of a configuration that make requests, with what the environment says in the place of `proxy: environment`. `CONFIG_INVALID` when it cannot be gone by. */
export function resolveProxies({ gateway, providers, webhooks }: Proxied, env: Environment): Proxied {
  const resolved = <Part extends { proxy?: Proxying | undefined }>(part: Part): Part =>
    part.proxy?.isOfEnvironment ? { ...part, proxy: ofEnvironment(env) } : part
  const each = <Part extends { proxy?: Proxying | undefined }>(parts: Record<string, Part>) =>
    Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, resolved(part)]))
  return { gateway: resolved(gateway), providers: each(providers), webhooks: each(webhooks) }
}

function ofEnvironment(env: Environment): Proxying {
  try {
    return proxyingOf(env)
  } catch (cause) {
    throw new Failure({
      code: 'CONFIG_INVALID',
      message: `The configuration says proxy: environment, and ${messageOf(cause)}.`,
      cure: 'Correct the variable, or name the proxy in the configuration instead.',
    })
  }
}

/** Whoever makes requests, with what is said of its proxy. */
export const proxiedParts = ({ gateway, providers, webhooks }: Proxied): { name: string; proxy: Proxying | undefined; url: string }[] => [
  { name: 'gateway', proxy: gateway.proxy, url: gateway.url },
  ...Object.entries(providers).map(([name, { proxy, baseUrl, api }]) => ({ name: `providers.${name}`, proxy, url: baseUrl ?? OWN[api] })),
  ...Object.entries(webhooks).map(([name, { proxy, url }]) => ({ name: `webhooks.${name}`, proxy, url })),
]

/** Where a provider without an address is asked. */
const OWN = { responses: 'https://api.openai.com', chat: 'https://api.openai.com', anthropic: 'https://api.anthropic.com' }
