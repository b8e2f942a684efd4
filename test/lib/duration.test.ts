import { expect, test } from 'vitest'
import { age, duration, durationMs, durationText } from '../../src/lib/duration.ts'

test.each([
  ['0s', 0],
  ['500ms', 500],
  ['30s', 30_000],
  ['10m', 600_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
])('%s is %d milliseconds', (text, ms) => {
  expect(durationMs(text)).toBe(ms)
  expect(duration('0s').parse(text)).toBe(ms)
  expect(durationText('0s').parse(text)).toBe(text)
})

test.each(['0', '10', '999'])('%s has no unit', (text) => {
  expect(() => durationMs(text)).toThrow(`${text} is not a duration`)
  expect(duration('0s').safeParse(text).error?.issues).toMatchObject([
    { message: `has no unit; write ${text}s for seconds, or ${text}m for minutes, or ${text}h for hours` },
  ])
  expect(age('0s').safeParse(Number(text)).error?.issues).toMatchObject([
    { message: `has no unit; write ${text}d for days, or ${text}h for hours` },
  ])
})

test.each(['', 'm', '-1s', '1.5h', ' 1s', '1s ', '1 s', '1S', '10m5s', '1w', '1e3s', '１s'])('"%s" is not a duration', (text) => {
  expect(() => durationMs(text)).toThrow(`${text} is not a duration`)
  expect(
    duration('0s')
      .safeParse(text)
      .error?.issues.map(({ message }) => message),
  ).toEqual(['is not a duration; write a number and ms, s, m, h or d, such as 30s or 10m'])
})

test('the longest duration is one that a timer can wait for', () => {
  expect(duration('0s').parse('24d')).toBeLessThan(2 ** 31)
  for (const text of ['25d', '99999999999999999999d'])
    expect(
      duration('0s')
        .safeParse(text)
        .error?.issues.map(({ message }) => message),
    ).toEqual(['is too long; the most is 24d'])
})

test('a duration has a least length', () => {
  const messages = (text: string) =>
    duration('1s')
      .safeParse(text)
      .error?.issues.map(({ message }) => message)
  expect(['0s', '999ms', '1s', '1000ms', '25d'].map(messages)).toEqual([
    ['is too short; the least is 1s'],
    ['is too short; the least is 1s'],
    undefined,
    undefined,
    ['is too long; the most is 24d'],
  ])
})
