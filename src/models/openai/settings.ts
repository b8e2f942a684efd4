// How the fields of a request say the settings of a job, and which of them a model may do without.
import { kindOfProvider, type CatalogueKind } from '../../core/models/catalogue-kinds.ts'
import type { ModelSettings, Tier } from '../../core/models/settings.ts'

interface Asked {
  settings?: ModelSettings | undefined
  cacheKey?: string | undefined
}

interface SharedFields {
  temperature?: number
  service_tier?: Tier
  prompt_cache_key?: string
}

/** Services of which the default tier has another name, or none: it is that of requests that name none. */
const OTHER_DEFAULT: readonly (CatalogueKind | undefined)[] = ['google', 'groq']

const namesTier = (tier: Tier, baseUrl: string): boolean => tier !== 'default' || !OTHER_DEFAULT.includes(kindOfProvider('chat', baseUrl))

const sharedFields = ({ settings: { temperature, tier } = {}, cacheKey }: Asked, baseUrl: string): SharedFields => ({
  ...(temperature !== undefined && { temperature }),
  ...(tier !== undefined && namesTier(tier, baseUrl) && { service_tier: tier }),
  ...(cacheKey !== undefined && { prompt_cache_key: cacheKey }),
})

/** At /v1/responses of the server at `baseUrl`. How long answers are stands beside their format. */
export function responsesFields<Format>(asked: Asked, format: Format | undefined, baseUrl: string) {
  const { effort, maxOutputTokens, verbosity } = asked.settings ?? {}
  return {
    ...sharedFields(asked, baseUrl),
    ...(effort !== undefined && { reasoning: { effort } }),
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
    ...((format !== undefined || verbosity !== undefined) && {
      text: { ...(format !== undefined && { format }), ...(verbosity !== undefined && { verbosity }) },
    }),
  }
}

/** Both names that the Chat API had for the most tokens of an answer: OpenAI knows the new one, and many other servers the old one alone. */
export const MAX_TOKENS = ['max_completion_tokens', 'max_tokens'] as const

/** At /v1/chat/completions of the server at `baseUrl`. `isOpenAi`: OpenAI's own service. */
export function chatFields(asked: Asked, isOpenAi: boolean, baseUrl: string) {
  const { effort, maxOutputTokens, verbosity } = asked.settings ?? {}
  const [newer, older] = MAX_TOKENS
  return {
    ...sharedFields(asked, baseUrl),
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...(maxOutputTokens !== undefined && { [isOpenAi ? newer : older]: maxOutputTokens }),
    ...(verbosity !== undefined && { verbosity }),
  }
}

/** Fields that say what the author of a job set, and what a run costs or does by it: asked without, it would be another run than the author wants. */
export const SET_BY: Readonly<Record<string, keyof ModelSettings>> = {
  reasoning: 'effort',
  reasoning_effort: 'effort',
  max_output_tokens: 'maxOutputTokens',
  max_completion_tokens: 'maxOutputTokens',
  max_tokens: 'maxOutputTokens',
  temperature: 'temperature',
  service_tier: 'tier',
}
