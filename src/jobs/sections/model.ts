import { z } from 'zod'
import { EFFORTS, TIERS, VERBOSITIES, type ModelSettings } from '../../core/models/settings.ts'
import { nameUnder } from '../../lib/name.ts'

const which = {
  provider: nameUnder('providers').describe('Provider under providers: in the configuration.'),
  name: z.string().min(1).describe('The provider’s name of the model.'),
}

/** Most models that a job may go on with, one after the other. */
const MAX_FALLBACKS = 5

/** The model that does the work, and how it works. */
export const modelSchema = z
  .strictObject(
    {
      ...which,
      effort: z
        .enum(EFFORTS)
        .optional()
        .describe('How much the model thinks before it answers. Without it, the model’s own default. Not each model takes each of them.'),
      maxOutputTokens: z
        .int()
        .min(16)
        .max(10_000_000)
        .optional()
        .describe('Most tokens of one answer, with the thoughts before it. An answer that reaches it is cut, and the run is not green.'),
      temperature: z
        .number()
        .min(0)
        .max(2)
        .optional()
        .describe('How much chance there is in the choice of words; 0 for least. Models that think often take none.'),
      verbosity: z
        .enum(VERBOSITIES)
        .optional()
        .describe('How long answers are. A model that does not know it is asked without, with a warning.'),
      tier: z
        .enum(TIERS)
        .optional()
        .describe(
          'The provider’s service tier: flex (half the price at OpenAI and Google, when there is room), priority (faster, dearer) or default. Without it, as the provider’s project is set. A run costs what the tier costs that the provider says it used.',
        ),
      onNoRoom: z
        .enum(['wait', 'default'])
        .default('wait')
        .describe(
          'When the provider has no room for tier: flex. wait: the run waits, as long as the attempt has time. default: it waits for half of that time, and goes on in the default tier, at its price.',
        ),
      onRateLimit: z
        .enum(['wait', 'fallback'])
        .default('wait')
        .describe(
          'When the provider asks to wait. wait: the run waits until the time that the provider names, where the attempt has so long; else the attempt fails and is tried again by retry:. fallback: the next model of fallback: goes on.',
        ),
      fallback: z
        .array(z.strictObject(which))
        .max(MAX_FALLBACKS)
        .default([])
        .describe(
          'Models that go on in this order, from a turn on, when the one before is down or its quota is used up, and with onRateLimit: fallback when its provider asks to wait. The settings above hold for them as far as their API has them. A run says which models it used.',
        ),
    },
    {
      error: ({ code }) => (code === 'invalid_type' ? 'must be a mapping, such as { provider: openai, name: gpt-5.4-mini }' : undefined),
    },
  )
  .describe('The model that does the work.')

/** How the model of a job is to work. */
export const settingsOf = ({ effort, maxOutputTokens, temperature, verbosity, tier }: z.output<typeof modelSchema>): ModelSettings => ({
  effort,
  maxOutputTokens,
  temperature,
  verbosity,
  tier,
})
