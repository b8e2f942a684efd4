import { expect, test } from 'vitest'
import { saidSize } from '../../../../src/core/rules/context/said.ts'

test.each<[string, number | undefined, number | undefined]>([
  ["This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.", 8192, 9001],
  [
    "This model's maximum context length is 4097 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion).",
    4097,
    5000,
  ],
  ['Input tokens exceed the configured limit of 272,000 tokens. Your messages resulted in 300,123 tokens.', undefined, undefined],
  ['prompt is too long: 208310 tokens > 200000 maximum', 200_000, 208_310],
  ['input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length', 200_000, undefined],
  ['The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).', 1_048_576, 1_200_000],
  ['Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length', 32_768, 40_000],
  ['the request exceeds the available context size (8192 tokens), try increasing it', 8192, undefined],
  ["This model's maximum prompt length is 131072 but the request contains 200000 tokens.", 131_072, 200_000],
  ['The decoder prompt (length 9001) is longer than the maximum model length of 8192.', 8192, 9001],
  ['too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000', 4081, 5000],
  ['Request too large for model x on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size', 6000, 9000],
  ['Your input exceeds the context window of this model. Please adjust your input and try again.', undefined, undefined],
  ['maximum context length is 12 tokens', undefined, undefined],
  ['maximum context length is 99999999999999 tokens', undefined, undefined],
  [`${'x'.repeat(3000)} maximum context length is 8192 tokens`, undefined, undefined],
  ['', undefined, undefined],
])('%s', (message, limit, asked) => {
  expect(saidSize(message)).toEqual({ limit, asked })
})
