import { API_KEY } from '../support/wire/world.ts'

/** Secrets that foreign words hold. */
export interface Canaries {
  /** Each alone, by what it is. */
  each: Record<string, string>
  /** What may be found nowhere. */
  found: readonly string[]
}

const SHAPES = {
  'a token of an MCP client': 'pom_mat_Canary01-abcdefgh',
  'a token that renews it': 'pom_mrt_Canary02-abcdefgh',
  'a token of another account': 'Pomerium-aB3dEf6hIj9LmNo2PqRsCanary03',
  'an API token': 'nsk_Canary04abcdefghijkl',
}

/** Those of an account's token and a model's key, and of shapes that tell themselves. */
export function canariesOf(jwt: string): Canaries {
  const parts = jwt.split('.')
  const [, payload = '', signature = ''] = parts
  const shapes = Object.values(SHAPES)
  return {
    each: { 'the token': jwt, 'the token as it is sent': `Pomerium-${jwt}`, 'a part of the token': payload, 'its signature': signature, 'the key of a model': API_KEY, ...SHAPES }, // prettier-ignore
    found: [...parts.filter((part) => part.length >= 20), API_KEY, ...shapes],
  }
}
