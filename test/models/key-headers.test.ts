// Azure takes what comes as a bearer's for a token of Entra, as its own clients send it: a key stands in one place alone.
import { expect, test } from 'vitest'
import { anthropicKey, isOfAzure, openAiKey } from '../../src/models/key-headers.ts'

const KEY = 'k-123456789'
const TOKEN = 'eyJhbGciOi.e30.s'
const own = 'https://models.example/v1'

test.each([
  ['https://r.services.ai.azure.com/anthropic', KEY, { 'x-api-key': KEY }],
  ['https://r.services.ai.azure.com/anthropic/v1', TOKEN, { authorization: `Bearer ${TOKEN}` }],
  ['https://r.cognitiveservices.azure.us/anthropic', KEY, { 'x-api-key': KEY }],
  [undefined, KEY, { authorization: `Bearer ${KEY}` }],
  [own, KEY, { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }],
  ['https://azure.com.example/v1', KEY, { authorization: `Bearer ${KEY}`, 'x-api-key': KEY }],
])('api: anthropic at %s', (baseUrl, key, headers) => {
  expect(anthropicKey(key, baseUrl)).toEqual(headers)
})

test.each([
  ['https://r.openai.azure.com/openai/v1', KEY, { 'api-key': KEY }],
  ['https://r.openai.azure.com/openai/v1', TOKEN, { authorization: `Bearer ${TOKEN}` }],
  [undefined, KEY, { authorization: `Bearer ${KEY}` }],
  [own, TOKEN, { authorization: `Bearer ${TOKEN}` }],
])('api: responses at %s', (baseUrl, key, headers) => {
  expect(openAiKey(key, isOfAzure(baseUrl))).toEqual(headers)
})
