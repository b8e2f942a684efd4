import { fetch as undiciFetch } from 'undici'
import type { IdentityOptions } from '../../http/identity.ts'
import type { Generations } from './generations.ts'

/** How callers of the API are known, by the configuration in force. Keys are had by the way that the gateway is reached. */
export function createIdentity({ now, hold }: Generations, told: Pick<IdentityOptions, 'onServed' | 'onToken'>): IdentityOptions {
  const fetchKeys = async (url: string, init: object) => {
    using held = hold()
    const { dispatcher } = held.resources.gateway
    // oxlint-disable-next-line waits/bounded -- `init` has jose's signal
    return await undiciFetch(url, { ...init, dispatcher })
  }
  return {
    callers: () => now().callers,
    pomerium: () => now().pomerium,
    ...told,
    // oxlint-disable-next-line no-unsafe-type-assertion -- undici's types and the global ones differ in name only
    fetch: fetchKeys as unknown as typeof fetch,
  }
}
