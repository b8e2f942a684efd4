import { expect, test } from 'vitest'
import { waitInWords } from '../../../src/lib/time/foreign.ts'

test.each([
  ['Please try again in 20s. Visit the page.', 20_000],
  ['Please try again in 120ms.', 120],
  ['try again in 1m30.5s', 90_500],
  ['try again in 6m0s', 360_000],
  ['Please retry in 34.074824224s.', 34_075],
  ['Retry after 2 minutes', 120_000],
  ['retry in 1 h', 3_600_000],
  ['retry after 3 seconds', 3000],
  ['try again in 9999h', 86_400_000],
  ['Please try again later.', undefined],
  ['retry in the morning', undefined],
  ['20s', undefined],
])('%s', (text, ms) => expect(waitInWords(text)).toBe(ms))
