// Whose models a provider has, as far as its address says so: prices and windows of the catalogue hold for nobody else.
import type { Api } from './settings.ts'

/** Providers that the catalogue knows, by the hosts of their own services. */
const HOSTS = {
  openai: ['api.openai.com', 'eu.api.openai.com', 'us.api.openai.com'],
  anthropic: ['api.anthropic.com'],
  google: ['generativelanguage.googleapis.com'],
  mistral: ['api.mistral.ai'],
  groq: ['api.groq.com'],
  deepseek: ['api.deepseek.com'],
  'x-ai': ['api.x.ai'],
} as const
export const CATALOGUE_KINDS = ['openai', 'anthropic', 'google', 'mistral', 'groq', 'deepseek', 'x-ai'] as const
export type CatalogueKind = (typeof CATALOGUE_KINDS)[number]

/** Undefined for a server of somebody's own: a name alone says nothing of what its models cost and read. */
export function kindOfProvider(api: Api, baseUrl: string | undefined): CatalogueKind | undefined {
  if (baseUrl === undefined) return api === 'anthropic' ? 'anthropic' : 'openai'
  const { hostname } = new URL(baseUrl)
  return CATALOGUE_KINDS.find((kind) => HOSTS[kind].some((host) => host === hostname))
}

/** The provider is OpenAI's own service. */
export const isOpenAi = (baseUrl: string | undefined): boolean => kindOfProvider('responses', baseUrl) === 'openai'

/** Addresses at which OpenAI works in a region, for a tenth more. */
const REGIONAL = /^[a-z]{2}\.api\.openai\.com$/
const REGIONAL_SHARE = 1.1
/** The first models that cost more there, by their version. */
const REGIONAL_SINCE = [5, 4] as const
const VERSION = /^gpt-(\d{1,2})(?:[.-](\d{1,2})(?!\d))?/

/** What a model costs at an address, as a share of what its provider's catalogue says. */
export function priceShare(baseUrl: string | undefined, model: string): number {
  if (baseUrl === undefined || !REGIONAL.test(new URL(baseUrl).hostname)) return 1
  const [major = 0, minor = 0] = (VERSION.exec(model) ?? []).slice(1).map((part: string | undefined) => Number(part ?? 0))
  const [sinceMajor, sinceMinor] = REGIONAL_SINCE
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor) ? REGIONAL_SHARE : 1
}
