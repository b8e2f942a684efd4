import { z } from 'zod'

/** The model reads it in each request. */
const MAX_TEXT = 8000

export const contractSchema = z
  .strictObject({
    text: z
      .string()
      .trim()
      .min(1)
      .max(MAX_TEXT)
      .optional()
      .describe(
        'Words of your own, told after Nightshift’s in every job but those with contract: none: language, tone, terms. The same for all runs.',
      ),
  })
  .prefault({})
  .describe('What every job is told before its own instructions.')
