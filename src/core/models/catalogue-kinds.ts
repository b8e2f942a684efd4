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
