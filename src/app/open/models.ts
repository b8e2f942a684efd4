import type { Config } from '../../config/load.ts'
import { priceAt, type Rates } from '../../core/rules/spending/price.ts'
import { catalogueNames, type ModelFacts } from '../../models/catalogue/facts.ts'
import type { Job } from '../../jobs/job.ts'
import { factsOf } from '../resources.ts'

/** What is known of a model of a provider, and who uses it. */
export interface KnownModel {
  provider: string
  name: string
  /** Jobs that name it, also as a fallback. */
  jobs: string[]
  windowTokens: number | null
  maxOutputTokens: number | null
  readsImages: boolean | null
  /** USD for a million tokens, by service tier: the default one, those that jobs ask for, and those of the configuration. Null: not known. */
  prices: Record<string, Rates | null>
  /** Who says what it reads and writes, and what it costs. */
  from: { limits: string | null; price: string | null }
}

/** The models that jobs name, and with `all` also those that the catalogue has of configured providers. */
export function knownModels(config: Config, jobs: readonly Job[], { all }: { all: boolean }): KnownModel[] {
  const facts = factsOf(config)
  const used = new Map<string, { provider: string; name: string; jobs: Set<string>; tiers: Set<string> }>()
  const use = (provider: string, name: string) => {
    const key = `${provider}/${name}`
    const known = used.get(key) ?? { provider, name, jobs: new Set<string>(), tiers: new Set(['default']) }
    used.set(key, known)
    return known
  }
  for (const { name: job, definition } of jobs)
    for (const { provider, name } of [definition.model, ...definition.model.fallback]) {
      const { jobs: by, tiers } = use(provider, name)
      by.add(job)
      if (definition.model.tier !== undefined) tiers.add(definition.model.tier)
    }
  if (all)
    for (const [provider, { catalogue }] of Object.entries(config.providers))
      if (catalogue !== 'none') for (const name of catalogueNames(catalogue)) use(provider, name)
  return [...used.values()].map(({ provider, name, jobs: by, tiers }) =>
    describeModel(facts(provider, name), { provider, name, by, tiers }),
  )
}

function describeModel(
  { windowTokens, maxOutputTokens, readsImages, price, from }: ModelFacts,
  { provider, name, by, tiers }: { provider: string; name: string; by: ReadonlySet<string>; tiers: ReadonlySet<string> },
): KnownModel {
  const ratesAt = (tier: string): Rates | null => {
    const known = price && priceAt(price, tier)
    if (!known) return null
    const { input, cachedInput, cacheWrite, output } = known
    return { input, cachedInput, ...(cacheWrite !== undefined && { cacheWrite }), output }
  }
  return {
    provider,
    name,
    jobs: [...by].toSorted(),
    windowTokens: windowTokens ?? null,
    maxOutputTokens: maxOutputTokens ?? null,
    readsImages: readsImages ?? null,
    prices: Object.fromEntries([...new Set([...tiers, ...Object.keys(price?.tiers ?? {})])].map((tier) => [tier, ratesAt(tier)])),
    from: { limits: from.limits ?? null, price: from.price ?? null },
  }
}
