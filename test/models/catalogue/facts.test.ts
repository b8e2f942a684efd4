import { expect, test } from 'vitest'
import { factsOf } from '../../../src/app/resources.ts'
import { providersSchema } from '../../../src/config/sections/models.ts'
import { CATALOGUE_KINDS, type CatalogueKind } from '../../../src/core/models/catalogue-kinds.ts'
import { createFacts, type ModelLimits } from '../../../src/models/catalogue/facts.ts'
import { CATALOGUE_DATE, CATALOGUE_ROWS } from '../../../src/models/catalogue/models.ts'
import { priceAt, type Price } from '../../../src/core/rules/spending/price.ts'

const KINDS: Record<string, CatalogueKind> = { openai: 'openai', claude: 'anthropic', groq: 'groq', deep: 'deepseek' }
const facts = (prices: Record<string, Price> = {}, models: Record<string, ModelLimits> = {}) =>
  createFacts({ kindOf: (provider) => KINDS[provider], prices: new Map(Object.entries(prices)), models: new Map(Object.entries(models)) })
const own: Price = { input: 7, cachedInput: 7, output: 7 }

test('a model of the catalogue has its price and its window, also under the date of a version', () => {
  const known = facts()('openai', 'gpt-5-mini')
  expect(known).toMatchObject({
    windowTokens: 400_000,
    maxOutputTokens: 128_000,
    readsImages: true,
    price: { input: 0.25, cachedInput: 0.025, output: 2 },
    from: { limits: 'catalogue', price: 'catalogue' },
  })
  for (const dated of ['gpt-5-mini-2025-08-07', 'gpt-5-mini-latest']) expect(facts()('openai', dated)).toEqual(known)
  expect(facts()('claude', 'claude-sonnet-4-5-20250929').price).toMatchObject({
    cacheWrite: 3.75,
    long: { aboveTokens: 200_000, input: 6 },
  })
})

test('nothing is known by a name alone: of a server of somebody’s own, and of a model that is not in the catalogue', () => {
  const nothing = { windowTokens: undefined, price: undefined, from: { limits: undefined, price: undefined } }
  expect(facts()('mine', 'gpt-5-mini')).toMatchObject(nothing)
  expect(facts()('claude', 'gpt-5-mini')).toMatchObject(nothing)
  for (const name of ['gpt-5-minimal', '', '__proto__', 'gpt-5-mini|x']) expect(facts()('openai', name)).toMatchObject(nothing)
})

test('the configuration goes before the catalogue, and a provider’s model before a model', () => {
  const of = facts({ 'gpt-5-mini': own, 'mine/gpt-5-mini': { ...own, input: 1 } }, { 'gpt-5-mini': { windowTokens: 8000 } })
  expect(of('openai', 'gpt-5-mini')).toMatchObject({
    price: own,
    windowTokens: 8000,
    // What the configuration does not say of it stays.
    maxOutputTokens: 128_000,
    from: { limits: 'configuration', price: 'configuration' },
  })
  expect(of('mine', 'gpt-5-mini')).toMatchObject({ price: { input: 1 }, windowTokens: 8000, maxOutputTokens: undefined })
})

test('what is said of a window is said by whoever says it', () => {
  const of = facts({}, { 'gpt-5-mini': { readsImages: false }, m: { readsImages: true } })
  expect(of('openai', 'gpt-5-mini')).toMatchObject({ windowTokens: 400_000, readsImages: false, from: { limits: 'catalogue' } })
  expect(of('openai', 'm')).toMatchObject({ windowTokens: undefined, from: { limits: 'configuration' } })
})

test('of prices that change over a day, the dearest holds: a limit in money is kept at each hour', () => {
  expect(facts()('deep', 'deepseek-v4-flash').price).toMatchObject({ input: 0.44, output: 1.32 })
  expect(facts()('deep', 'deepseek-chat').price).toMatchObject({ input: 0.27, output: 1.1 })
})

test('a price of the catalogue is dearer where an address is, with all of its rates, and one of the configuration is as it stands there', () => {
  const providers = providersSchema.parse({ eu: { baseUrl: 'https://eu.api.openai.com/v1' } })
  const priceOf = (model: string) => factsOf({ providers, prices: { mine: own }, models: {} })('eu', model).price
  expect(priceOf('gpt-5.5')).toMatchObject({
    input: expect.closeTo(5.5),
    output: expect.closeTo(33),
    long: { aboveTokens: 271_999, input: expect.closeTo(11) },
  })
  expect(priceOf('mine')).toEqual(own)
})

test('flex costs what the tier of the provider costs: half, and at Groq all of it', () => {
  const flexOf = (provider: string, model: string, prices?: Record<string, Price>) => {
    const { price } = facts(prices)(provider, model)
    return price && priceAt(price, 'flex')?.output
  }
  expect(flexOf('openai', 'gpt-5-mini')).toBe(1)
  expect(flexOf('groq', 'llama-3.3-70b-versatile')).toBe(0.79)
  expect(flexOf('groq', 'm', { m: own })).toBe(7)
  expect(flexOf('groq', 'm', { m: { ...own, tiers: { flex: { ...own, output: 3 } } } })).toBe(3)
  expect(flexOf('mine', 'm', { m: own })).toBe(3.5)
})

test('each row of the catalogue says a model with a price that is none below nothing', () => {
  expect(CATALOGUE_DATE).toMatch(/^\d{4}-\d{2}-\d{2}$/)
  const rows = CATALOGUE_ROWS.trim().split('\n')
  expect(rows.length).toBeGreaterThan(100)
  const seen = new Set<string>()
  for (const row of rows) {
    const [kind, names = '', ...cells] = row.split('|')
    expect(CATALOGUE_KINDS).toContain(kind)
    expect(cells).toHaveLength(12)
    for (const [at, cell] of cells.entries()) if (at !== 2 && cell !== '') expect(Number(cell), row).toBeGreaterThanOrEqual(0)
    expect(Number(cells[3]) + Number(cells[6]), row).toBeGreaterThanOrEqual(0)
    for (const name of names.split(' ')) {
      expect(seen.has(`${kind} ${name}`), `${kind} ${name} twice`).toBe(false)
      seen.add(`${kind} ${name}`)
    }
  }
})
