import { z } from 'zod'
import { DELIVER_WHEN } from '../../core/rules/delivery.ts'
import { KEYWORDS } from '../../lib/schema/keywords.ts'
import { deliverShape, destinationNames, namesOneDestination } from '../../delivery/destinations/registry.ts'

export const jsonSchema = z.record(z.string(), z.unknown())

const BESIDE = 'is a keyword of JSON Schema; the schema stands further in, under output.schema:'

export const outputSchema = z.strictObject(
  {
    schema: jsonSchema.describe('JSON Schema (2020-12) that the answer must match.'),
    mode: z
      .enum(['native', 'tool', 'prompt'])
      .default('native')
      .describe('How the model is asked for it: by the provider’s own output format, by a tool that takes the answer, or in words.'),
    mend: z
      .boolean()
      .default(true)
      .describe('Put right what has one reading alone, such as a missing bracket or a number in quotes, and say so on the run.'),
    grounded: z
      .array(z.string().min(1))
      .max(100)
      .default([])
      .describe(
        'Paths of the answer, such as rows.*.rate, whose numbers and texts must stand in a result of a tool. Leave out what the model works out.',
      ),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' && issue.keys.some((key) => KEYWORDS.includes(key)) ? BESIDE : undefined) },
)

export const deliverSchema = z
  .strictObject({
    ...deliverShape,
    when: z
      .enum(DELIVER_WHEN)
      .default('always')
      .describe('always, when the output is not that of the run that ended before, or when the run is not green.'),
  })
  .refine(namesOneDestination, `needs exactly one of ${destinationNames()}`)
