import { expect, test } from 'vitest'
import { fit } from '../../../src/cli/terminal/terminal.ts'

test.for([
  ['report', 6, 'report'],
  ['reports', 6, 'repor…'],
  ['', 4, ''],
  ['a b', 3, 'a b'],
  ['two\nlines', 20, 'two lines'],
  // Two places each.
  ['月次報告書', 10, '月次報告書'],
  ['月次報告書', 9, '月次報告…'],
  ['月次報告書', 8, '月次報…'],
  // One character of many parts is there whole, or not at all.
  ['a👨‍👩‍👧‍👦b', 4, 'a👨‍👩‍👧‍👦b'],
  ['a👨‍👩‍👧‍👦bc', 4, 'a👨‍👩‍👧‍👦…'],
  ['👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 3, '👨‍👩‍👧‍👦…'],
  ['😀😀😀', 4, '😀…'],
  ['é'.repeat(5), 4, 'ééé…'],
  ['e\u0301e\u0301', 2, 'éé'],
] as const)('%j in %i places is %j', ([text, width, shown]) => {
  expect(fit(text, width)).toBe(shown)
  expect(fit(text, width).isWellFormed()).toBe(true)
})

test('of a text of any length as little is looked at as is shown', () => {
  expect(fit('報'.repeat(1_000_000), 5)).toBe('報報…')
  expect(fit(`a${'\u0301'.repeat(1_000_000)}`, 5).normalize()).toMatch(/^á\u0301*…$/)
})
