import { expect, test } from 'vitest'
import {
  compactAt,
  densityOf,
  estimateTokens,
  leastTokens,
  leftOut,
  longestAnswer,
  roomOf,
  shownBytes,
  type Counted,
  type Window,
} from '../../../../src/core/rules/context/window.ts'

test.each<[string, Window, number | undefined, number]>([
  ['a quarter where nobody says how long an answer may be', { tokens: 32_000 }, undefined, 24_000],
  ['the longest answer of the model', { tokens: 400_000, maxOutputTokens: 128_000 }, undefined, 272_000],
  ['a third at the most for what a model could answer', { tokens: 9000, maxOutputTokens: 9000 }, undefined, 6000],
  ['what the job allows', { tokens: 32_000, maxOutputTokens: 16_000 }, 1000, 31_000],
  ['what the job allows, also where that is much', { tokens: 32_000 }, 16_000, 16_000],
  ['and never all of it', { tokens: 1000 }, 5000, 250],
])('%s is kept free for the answer', (_, window, asked, room) => {
  expect(roomOf(window, asked)).toBe(room)
})

test.each<[string, Partial<Window>, number | undefined]>([
  ['as the model gives', { maxOutputTokens: 8000 }, 8000],
  ['as is kept free for it', { tokens: 32_000 }, 8000],
  ['as is kept free for it, of a model that could answer more', { tokens: 9000, maxOutputTokens: 9000 }, 3000],
  ['as nobody knows', {}, undefined],
])('an answer is as long %s', (_, window, tokens) => {
  expect(longestAnswer(window)).toBe(tokens)
  if (window.tokens !== undefined && tokens !== undefined) expect(roomOf({ tokens: 0, ...window }) + tokens).toBe(window.tokens)
})

test.each<[string, Parameters<typeof shownBytes>, number]>([
  ['a result: what the job says', ['result', 262_144, undefined, 10], 262_144],
  ['a result: what the job says, where that is little', ['result', 2000, { tokens: 32_000 }, 2], 2000],
  ['a result: an eighth of the room of a small window', ['result', 262_144, { tokens: 8000 }, 1], 2250],
  ['a page of one: a quarter', ['page', 262_144, { tokens: 8000 }, 1], 4500],
  ['a page beside others of its turn: its part of that', ['page', 262_144, { tokens: 8000 }, 3], 1500],
  ['a result: all of it in a large one', ['result', 262_144, { tokens: 2_000_000, maxOutputTokens: 64_000 }, 1], 262_144],
  ['a result: a kilobyte in the smallest, and beside very many', ['result', 262_144, { tokens: 8000 }, 100], 1024],
])('is shown at once of %s', (_, given, bytes) => {
  expect(shownBytes(...given)).toBe(bytes)
})

const first: Counted = { bytes: 6000, tokens: 3000 }
const last: Counted = { bytes: 46_000, tokens: 13_000 }

test.each<[string, number, Counted | undefined, Counted | undefined, number]>([
  ['before anything was counted, by its bytes', 3000, undefined, undefined, 1000],
  ['after one count, by its ratio', 8000, first, first, 4000],
  ['as counted, when nothing was added', 46_000, first, last, 13_000],
  ['what is added counts as what was added before it', 50_000, first, last, 14_000],
  ['and so does what is put aside', 26_000, first, last, 8000],
  ['a ratio that cannot be is not believed: too few', 46_000 + 8000, first, { bytes: 46_000, tokens: 3001 }, 3001 + 1000],
  ['a ratio that cannot be is not believed: too many', 46_000 + 8000, first, { bytes: 46_000, tokens: 90_000 }, 98_000],
  ['two requests that are nearly the same say nothing of what lies between', 9000, first, { bytes: 6500, tokens: 3250 }, 4500],
  ['nothing is less than a token', 0, undefined, undefined, 1],
])('the size of a request: %s', (_, bytes, one, two, tokens) => {
  expect(estimateTokens(bytes, one, two)).toBe(tokens)
})

test('what was put aside between two counts changes no ratio', () => {
  expect(densityOf(last, first)).toBe(0.5)
})

test('what has more than eight bytes for each token of the window does not fit, whatever it says', () => {
  expect(leastTokens(8_000)).toBe(1000)
})

test('a provider that works by itself compacts when four fifths of the room are used', () => {
  expect([compactAt({ tokens: 8000 }), compactAt({ tokens: 10_000 }, 2000)]).toEqual([4800, 6400])
})

test.each([
  ['more than fits', 40_000, 8000, { tokens: 10_000, of: 8000 }],
  ['what fits', 32_000, 8000, undefined],
  ['what nobody can say of', 40_000, undefined, undefined],
])('of %s is said what was left out', (_, bytes, fits, left) => {
  expect(leftOut(bytes, fits)).toEqual(left)
})
