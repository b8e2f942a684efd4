import { expect, test } from 'vitest'
import { decideCut, summedBy, type Cut, type Fill } from '../../../../src/core/rules/context/cut.ts'

const results = (...sizes: [id: string, frees: number][]) => sizes.map(([id, frees]) => ({ id, frees }))
/** A token is a byte: of 1000, over 900 is cut, down to 500. */
const fill: Fill = { room: 1000, tokens: 950, density: 1, old: [], fresh: [], summable: 0, isLast: false }
const old = results(['a', 250], ['b', 250], ['c', 250])

test.each<[string, Partial<Fill>, Cut]>([
  ['what fits stays as it is', { tokens: 900, old }, { aside: [], summary: false }],
  ['the oldest results go first, and as many at once as make half of the room free', { old }, { aside: ['a', 'b'], summary: false }],
  ['one step too far is none', { tokens: 901, old }, { aside: ['a', 'b'], summary: false }],
  ['what is hardly longer than its stub stays', { old: results(['a', 199], ['b', 450]) }, { aside: ['b'], summary: false }],
  [
    'results of the last turn stay, where what was said can be summed up',
    { tokens: 960, old: results(['a', 200]), fresh: results(['f', 300]), summable: 450 },
    { aside: [], summary: true },
  ],
  [
    'no summary is made of what stubs free as well',
    { tokens: 960, old: results(['a', 200]), summable: 300 },
    { aside: ['a'], summary: false },
  ],
  [
    'results of the last turn are put aside, the largest first, where nothing else is left',
    { fresh: results(['f', 210], ['g', 400]), summable: 40 },
    { aside: ['g'], summary: false },
  ],
  ['little to sum up is summed up where nothing else is left', { summable: 60 }, { aside: [], summary: true }],
  ['nothing to sum up is not', { summable: 40 }, { aside: [], summary: false }],
  [
    'no summary is made for room that no later turn needs',
    { tokens: 950, old: results(['a', 200]), summable: 400, isLast: true },
    { aside: ['a'], summary: false },
  ],
  ['a last turn that does not fit is summed up all the same', { tokens: 1200, summable: 400, isLast: true }, { aside: [], summary: true }],
  [
    'down to just half of the room is enough',
    { tokens: 1000, old: results(['a', 250], ['b', 250], ['c', 250]) },
    { aside: ['a', 'b'], summary: false },
  ],
  [
    'what a stub frees is counted in tokens',
    { density: 0.5, old: results(['a', 500], ['b', 500], ['c', 500]) },
    { aside: ['a', 'b'], summary: false },
  ],
  ['and so is what a summary frees', { density: 0.5, summable: 400 }, { aside: [], summary: true }],
  ['what is not tight after stubs is not summed up', { old: results(['a', 201]), summable: 460 }, { aside: ['a'], summary: false }],
  ['nor is what is just tight', { old: results(['a', 200]), summable: 460 }, { aside: ['a'], summary: false }],
  [
    'nor is what is a little tight, where that frees little',
    { tokens: 960, old: results(['a', 200]), summable: 449 },
    { aside: ['a'], summary: false },
  ],
  [
    'what just fits after stubs leaves results of the last turn alone',
    { tokens: 1100, old: results(['a', 200]), fresh: results(['f', 300]) },
    { aside: ['a'], summary: false },
  ],
  [
    'nothing is summed up once results of the last turn make it fit',
    { tokens: 1000, fresh: results(['f', 300]), summable: 200 },
    { aside: ['f'], summary: false },
  ],
  ['nor where they make it just fit', { tokens: 1200, fresh: results(['f', 300]), summable: 200 }, { aside: ['f'], summary: false }],
  ['the least that is summed up', { summable: 50 }, { aside: [], summary: true }],
])('%s', (_, given, cut) => {
  expect(decideCut({ ...fill, ...given })).toEqual(cut)
})

test('whatever is put aside, another look at what is left puts nothing more aside', () => {
  for (let size = 1; size <= 40; size++) {
    const all = Array.from({ length: 40 }, (_, n) => ({ id: `${n}`, frees: size * 25 }))
    const tokens = 100 + all.length * size * 25
    const { aside } = decideCut({ ...fill, room: 10_000, tokens, old: all })
    const after = tokens - aside.length * size * 25
    expect(decideCut({ ...fill, room: 10_000, tokens: after, old: all.slice(aside.length) }).aside).toEqual([])
    if (aside.length > 0) expect(after).toBeLessThanOrEqual(5000)
  }
})

test.each<[string, number[], number]>([
  ['all but the last exchange', [500, 500, 500], 2],
  ['and but those before it that are short', [500, 100, 60, 30], 1],
  ['none of a conversation that is short', [50, 50], 0],
  ['nor of one exchange', [5000], 0],
  ['nor of none', [], 0],
])('a summary stands for %s', (_, bytes, summed) => {
  expect(summedBy(bytes, { room: 1000, density: 1 })).toBe(summed)
})

test.each<[string, number[], number]>([
  ['what just fits stays', [500, 100, 50, 50], 1],
  ['one byte more does not', [500, 101, 50, 50], 2],
])('a summary stands for no more than it must: %s', (_, bytes, summed) => {
  expect(summedBy(bytes, { room: 1000, density: 1 })).toBe(summed)
  // Half a token a byte: twice as many bytes stay.
  expect(
    summedBy(
      bytes.map((one) => one * 2),
      { room: 1000, density: 0.5 },
    ),
  ).toBe(summed)
})
