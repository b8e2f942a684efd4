import { expect, test } from 'vitest'
import type { ModelFacts } from '../../../src/models/catalogue/facts.ts'
import { jobSchema } from '../../../src/jobs/schema.ts'
import { windowOf } from '../../../src/runs/attempt/window.ts'

const known: Record<string, Partial<ModelFacts>> = {
  'p/large': { windowTokens: 100_000, maxOutputTokens: 8000 },
  'q/small': { windowTokens: 32_000 },
}
const factsOf = (provider: string, name: string): ModelFacts => ({
  price: undefined,
  from: { limits: undefined, price: undefined },
  ...known[`${provider}/${name}`],
})
const jobOf = (model: object) => jobSchema.parse({ account: 'a', model, prompt: 'Do it.', tools: { shop: { allow: ['look'] } } })
const small = { provider: 'q', name: 'small' }
const other = { provider: 'p', name: 'other' }

test.each([
  ['that of its model', { provider: 'p', name: 'large' }, { tokens: 100_000, maxOutputTokens: 8000 }],
  [
    'the smallest of all that may take a turn',
    { provider: 'p', name: 'large', fallback: [other, small] },
    { tokens: 32_000, maxOutputTokens: undefined },
  ],
  ['what is known of any of them', { ...other, fallback: [small] }, { tokens: 32_000, maxOutputTokens: undefined }],
  ['none where none is known', other, undefined],
])('the window of a run is %s', (_, model, window) => {
  expect(windowOf({ factsOf }, jobOf(model))).toEqual(window)
})
