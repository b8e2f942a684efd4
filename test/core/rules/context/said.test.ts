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
  ['maximum context length is 272,000 tokens, and 300,123 were sent', 272_000, 300_123],
  ['maximum context length is 1_048_576 tokens, and 1,200,000 were sent', 1_048_576, 1_200_000],
  ['maximum context length is 1,000,000 tokens', 1_000_000, undefined],
  ['maximum context length is 12,00 tokens', undefined, undefined],
  ['maximum context length is 8192, and 9001 of 9500 were sent', 8192, 9500],
  ['maximum context length is 8192, and 8000 of 9500 were sent', 8192, 9500],
  ['maximum context length is 8192; version 1.9500, id v9500, 9500,1', 8192, undefined],
  ['maximum context length is 255 tokens', undefined, undefined],
  ['maximum context length is 256 tokens', 256, undefined],
  ['maximum context length is 134217728 tokens', 134_217_728, undefined],
  ['maximum context length is 134217729 tokens', undefined, undefined],
  ['maximum context length is 8192, and 134217729 were sent', 8192, undefined],
  ['the maximum number of tokens 8192 was passed', 8192, undefined],
  ['300 rows were sent', undefined, undefined],
  ['', undefined, undefined],
])('%s', (message, limit, asked) => {
  expect(saidSize(message)).toEqual({ limit, asked })
})
