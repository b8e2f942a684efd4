// Every name in the configuration: what it is the name of, and what it is held against.

/** What a name is the name of. */
export type Thing = 'account' | 'server' | 'provider' | 'model' | 'tier' | 'job' | 'webhook' | 'caller' | 'person' | 'tag' | 'tool' | 'host'

/**
 * `given here`: the line says what stands behind the name. `the file`: it has to be given elsewhere in the file, which is not read otherwise. `job files`: it has to be a job, or
 * `start` refuses the file. `slips`: job files name others as well, so that it may be of use to none, and a warning tells when it is nearly one that they use. `outside`: what it
 * means is known to others alone.
 */
export type HeldAgainst = 'given here' | 'the file' | 'job files' | 'slips' | 'outside'

export interface Name {
  of: Thing
  against: HeldAgainst
}

/** By key: `<name>` where the name is a key itself, `[]` for each entry of a list. docs/configuration.md prints it: npm run generate. */
export const NAMES: Readonly<Record<string, Name>> = {
  'gateway.routeHosts[]': { of: 'host', against: 'outside' },
  'accounts.<name>': { of: 'account', against: 'given here' },
  'servers.<name>': { of: 'server', against: 'slips' },
  'providers.<name>': { of: 'provider', against: 'given here' },
  'prices.<name>': { of: 'model', against: 'slips' },
  'prices.<name>.tiers.<name>': { of: 'tier', against: 'outside' },
  'models.<name>': { of: 'model', against: 'slips' },
  'budgets.accounts.<name>': { of: 'account', against: 'the file' },
  'budgets.jobs.<name>': { of: 'job', against: 'job files' },
  'webhooks.<name>': { of: 'webhook', against: 'given here' },
  'audit.expected[].account': { of: 'account', against: 'the file' },
  'audit.expected[].host': { of: 'host', against: 'outside' },
  'audit.expected[].tool': { of: 'tool', against: 'outside' },
  'alerts.webhook': { of: 'webhook', against: 'the file' },
  'api.metricTags[]': { of: 'tag', against: 'outside' },
  'api.tokens.<name>': { of: 'caller', against: 'given here' },
  'api.tokens.<name>.jobs[]': { of: 'job', against: 'job files' },
  'api.pomerium.audience': { of: 'host', against: 'outside' },
  'api.pomerium.users.<name>': { of: 'person', against: 'outside' },
  'api.pomerium.users.<name>.jobs[]': { of: 'job', against: 'job files' },
  'api.pomerium.groups.<name>': { of: 'person', against: 'outside' },
  'api.pomerium.groups.<name>.jobs[]': { of: 'job', against: 'job files' },
}

/** The section in which the file gives a thing its name. */
export const SECTIONS = { account: 'accounts', webhook: 'webhooks', provider: 'providers' } as const

/** A name as it stands in a configuration. */
export interface Named {
  path: string[]
  name: string
  of: Thing
  /** It is a key, and stands in its own path. */
  isKey: boolean
}

/** The names in a configuration that are held against the same. */
export const namesHeld = (config: object, against: HeldAgainst): Named[] =>
  Object.entries(NAMES)
    .filter(([, name]) => name.against === against)
    .flatMap(([key, { of }]) => at(config, key.replaceAll('[]', '.[]').split('.'), []).map((found) => ({ ...found, of })))

function at(value: unknown, [part, ...rest]: readonly string[], path: string[]): Omit<Named, 'of'>[] {
  if (part === undefined) return typeof value === 'string' ? [{ path, name: value, isKey: false }] : []
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.entries(value)
  if (part !== '[]' && part !== '<name>')
    return inner.filter(([key]) => key === part).flatMap(([key, one]) => at(one, rest, [...path, key]))
  if (part === '<name>' && rest.length === 0) return inner.map(([name]) => ({ path: [...path, name], name, isKey: true }))
  return inner.flatMap(([key, one]) => at(one, rest, [...path, key]))
}
