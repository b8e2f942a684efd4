// How a model works, as a job says it: the words for it, whichever API its provider speaks.

/** APIs of providers. */
export const APIS = ['responses', 'chat', 'anthropic'] as const
export type Api = (typeof APIS)[number]

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const
export const VERBOSITIES = ['low', 'medium', 'high'] as const
export const TIERS = ['default', 'flex', 'priority'] as const
export type Tier = (typeof TIERS)[number]

/** What is undefined is as the provider has it by default. */
export interface ModelSettings {
  effort?: (typeof EFFORTS)[number] | undefined
  /** Most tokens of an answer, with its thoughts. */
  maxOutputTokens?: number | undefined
  temperature?: number | undefined
  verbosity?: (typeof VERBOSITIES)[number] | undefined
  tier?: Tier | undefined
}
