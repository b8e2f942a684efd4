import type { CatalogueKind } from '../../core/models/catalogue-kinds.ts'
import { shareOf, type Price } from '../../core/rules/spending/price.ts'
import { CATALOGUE_ROWS } from './models.ts'

/** What a model reads and writes at most, in tokens; undefined where nobody says it. */
export interface ModelLimits {
  /** Input and output together. */
  windowTokens?: number | undefined
  maxOutputTokens?: number | undefined
  readsImages?: boolean | undefined
}

/** What is known of a model of a provider. */
export interface ModelFacts extends ModelLimits {
  price: Price | undefined
  /** Who says so: the configuration goes before the catalogue. */
  from: { limits: Source | undefined; price: Source | undefined }
}

export type Source = 'configuration' | 'catalogue'

/** `provider` is its name in the configuration. */
export type FactsOf = (provider: string, model: string) => ModelFacts

interface FactsOptions {
  /** Whose models a provider has; undefined for those that the catalogue does not know. */
  kindOf: (provider: string) => CatalogueKind | undefined
  /** What a model of a provider costs, as a share of what the catalogue says; as that without it. */
  shareOf?: (provider: string, model: string) => number
  /** Of the configuration, by `model` or `provider/model`. */
  prices: ReadonlyMap<string, Price>
  models: ReadonlyMap<string, ModelLimits>
}

/** What is known of models, by the configuration and by the catalogue. */
export function createFacts({ kindOf, shareOf: shareAt = () => 1, prices, models }: FactsOptions): FactsOf {
  return (provider, model) => {
    const kind = kindOf(provider)
    const listed = kind && entryOf(kind, model)
    const own = <T>(given: ReadonlyMap<string, T>) => given.get(`${provider}/${model}`) ?? given.get(model)
    const [price, limits] = [own(prices), own(models)]
    const paid = price ?? (listed && shareOf(listed.price, shareAt(provider, model)))
    const isListed = limits?.windowTokens === undefined && listed?.windowTokens !== undefined
    const windowFrom: Source | undefined = isListed ? 'catalogue' : limits && 'configuration'
    return {
      windowTokens: limits?.windowTokens ?? listed?.windowTokens,
      maxOutputTokens: limits?.maxOutputTokens ?? listed?.maxOutputTokens,
      readsImages: limits?.readsImages ?? listed?.readsImages,
      price: paid && inTiersOf(kind, paid),
      from: {
        limits: windowFrom,
        price: price ? 'configuration' : listed && 'catalogue',
      },
    }
  }
}

/** Groq's tier flex costs what its default one does: its requests may be refused, for higher limits. */
const inTiersOf = (kind: CatalogueKind | undefined, price: Price): Price =>
  kind === 'groq' ? { ...price, tiers: { flex: price, ...price.tiers } } : price

type Entry = ModelLimits & { price: Price }

let read: ReadonlyMap<string, Entry> | undefined

/** The models of the catalogue, by kind of provider and name. */
const entries = () =>
  (read ??= new Map(
    CATALOGUE_ROWS.trim()
      .split('\n')
      .flatMap((line) => {
        const { kind, names, entry } = entryIn(line)
        return names.map((name) => [`${kind} ${name}`, entry] as const)
      }),
  ))

/** The models of a kind of provider, by the first of their names. */
export const catalogueNames = (kind: CatalogueKind): string[] =>
  CATALOGUE_ROWS.trim()
    .split('\n')
    .map(entryIn)
    .flatMap((row) => (row.kind === kind ? row.names.slice(0, 1) : []))

/** A version of a model by its date, or the latest one: it costs and reads what the model does. */
const VERSION = /(?:[-@](?:\d{4}-\d{2}-\d{2}|\d{8}|latest))$/

const entryOf = (kind: CatalogueKind, model: string): Entry | undefined =>
  entries().get(`${kind} ${model}`) ?? entries().get(`${kind} ${model.replace(VERSION, '')}`)

function entryIn(line: string): { kind: string; names: string[]; entry: Entry } {
  const [kind = '', names = '', window, maxOutput, reads = '', ...numbers] = line.split('|')
  const [input, cached, write, output, above, ...long] = numbers.map(numberIn)
  const aboveTokens = above
  return {
    kind,
    names: names.split(' '),
    entry: {
      windowTokens: numberIn(window),
      maxOutputTokens: numberIn(maxOutput),
      readsImages: reads === '' ? undefined : reads === 'images',
      price: {
        ...ratesOf(input, cached, write, output),
        ...(aboveTokens !== undefined && { long: { ...ratesOf(...long), aboveTokens } }),
      },
    },
  }
}

const numberIn = (cell: string | undefined): number | undefined => (cell === undefined || cell === '' ? undefined : Number(cell))

/** Without a price of its own, what was in the cache, or is written into it, costs what other input does. */
const ratesOf = (input = 0, cachedInput = input, cacheWrite?: number, output = 0) => ({
  input,
  cachedInput,
  ...(cacheWrite !== undefined && { cacheWrite }),
  output,
})
