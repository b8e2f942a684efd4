import { expect, test } from 'vitest'
import { isOpenAi, kindOfProvider } from '../../../src/core/models/catalogue-kinds.ts'
import type { Api } from '../../../src/core/models/settings.ts'

test.each<[api: Api, baseUrl: string | undefined, kind: string | undefined]>([
  ['responses', undefined, 'openai'],
  ['chat', undefined, 'openai'],
  ['anthropic', undefined, 'anthropic'],
  ['responses', 'https://api.openai.com/v1', 'openai'],
  ['responses', 'https://eu.api.openai.com/v1', 'openai'],
  ['chat', 'https://api.groq.com/openai/v1', 'groq'],
  ['anthropic', 'https://api.anthropic.com', 'anthropic'],
  // Whatever its models are called.
  ['chat', 'http://localhost:8080/v1', undefined],
  ['responses', 'https://api.openai.com.example/v1', undefined],
  ['anthropic', 'https://llm.example', undefined],
])('the models of a provider with api: %s at %s are those of %s', (api, baseUrl, kind) => {
  expect(kindOfProvider(api, baseUrl)).toBe(kind)
  if (api !== 'anthropic') expect(isOpenAi(baseUrl)).toBe(kind === 'openai')
})
