import { expect, test } from 'vitest'
import { isOpenAi, kindOfProvider, priceShare } from '../../../src/core/models/catalogue-kinds.ts'
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

const EU = 'https://eu.api.openai.com/v1'
test.each([
  [EU, 'gpt-5.4-mini', 1.1],
  [EU, 'gpt-5-4', 1.1],
  [EU, 'gpt-6-sol', 1.1],
  ['https://us.api.openai.com/v1', 'gpt-5.4-2026-03-05', 1.1],
  [EU, 'gpt-5.3-codex', 1],
  [EU, 'gpt-5-2025-08-07', 1],
  [EU, 'gpt-4-32k', 1],
  [EU, 'o3', 1],
  ['https://api.openai.com/v1', 'gpt-5.4', 1],
  [undefined, 'gpt-5.4', 1],
  ['https://eu.api.openai.com.example/v1', 'gpt-5.4', 1],
])('at %s, %s costs %s of what the catalogue says', (baseUrl, model, share) => {
  expect(priceShare(baseUrl, model)).toBe(share)
})
