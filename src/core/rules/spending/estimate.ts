import { noUsage, type Usage } from '../../run.ts'
import type { Price } from './price.ts'
import { spendOf, type Spend } from './spend.ts'

/** For estimates: bytes of a conversation per token, and tokens of an answer. */
const BYTES_PER_TOKEN = 3
const ANSWER_TOKENS = 2048

/** What a turn may cost, from the size of what is sent. */
export function estimateSpend(requestBytes: number, price: Price | undefined): Spend {
  return spendOf({ ...estimateUsage(requestBytes, 0), outputTokens: ANSWER_TOKENS }, price)
}

/** What an answer used, where nobody says so: by the bytes of the request, and of as much of the answer as was seen. */
export const estimateUsage = (requestBytes: number, answerBytes: number): Usage => ({
  ...noUsage,
  inputTokens: Math.ceil(requestBytes / BYTES_PER_TOKEN),
  outputTokens: Math.ceil(answerBytes / BYTES_PER_TOKEN),
  estimated: true,
})
