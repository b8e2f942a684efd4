// How the fields of a request say the settings of a job, and which of them a model may do without.
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

const sharedFields = ({ settings: { temperature, tier } = {}, cacheKey }: Asked): SharedFields => ({
  ...(temperature !== undefined && { temperature }),
  ...(tier !== undefined && { service_tier: tier }),
  ...(cacheKey !== undefined && { prompt_cache_key: cacheKey }),
})

/** At /v1/responses. How long answers are stands beside their format. */
export function responsesFields<Format>(asked: Asked, format: Format | undefined) {
  const { effort, maxOutputTokens, verbosity } = asked.settings ?? {}
  return {
    ...sharedFields(asked),
    ...(effort !== undefined && { reasoning: { effort } }),
    ...(maxOutputTokens !== undefined && { max_output_tokens: maxOutputTokens }),
    ...((format !== undefined || verbosity !== undefined) && {
      text: { ...(format !== undefined && { format }), ...(verbosity !== undefined && { verbosity }) },
    }),
  }
}

/** Both names that the Chat API had for the most tokens of an answer: OpenAI knows the new one, and many other servers the old one alone. */
export const MAX_TOKENS = ['max_completion_tokens', 'max_tokens'] as const

/** At /v1/chat/completions. `isOpenAi`: OpenAI's own service. */
export function chatFields(asked: Asked, isOpenAi: boolean) {
  const { effort, maxOutputTokens, verbosity } = asked.settings ?? {}
  const [newer, older] = MAX_TOKENS
  return {
    ...sharedFields(asked),
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
