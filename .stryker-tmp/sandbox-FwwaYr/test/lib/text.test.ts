// @ts-nocheck
import { expect, test } from 'vitest'
import { cutBytes, showLine, showText, storeText } from '../../src/lib/text.ts'

test.each([
  ['plain text', 'Zürich 東京 😀', 'Zürich 東京 😀'],
  ['tabs and newlines', 'a\tb\nc', 'a\tb\nc'],
  ['Windows newlines', 'a\r\nb', 'a\nb'],
  ['a carriage return that would write over the line', 'safe\rrm -rf', 'safe\\u000drm -rf'],
  ['ANSI colours', '\u001b[31mred\u001b[0m', '\\u001b[31mred\\u001b[0m'],
  ['the one-byte CSI', '\u009b2J', '\\u009b2J'],
  ['a terminal title', '\u001b]0;title\u0007', '\\u001b]0;title\\u0007'],
  ['backspaces, NUL and DEL', 'a\b\0\u007f', 'a\\u0008\\u0000\\u007f'],
  ['bidi overrides and isolates', '\u202eevil\u202c\u2066x\u2069', '\\u202eevil\\u202c\\u2066x\\u2069'],
  ['bidi marks', '\u200e\u200f\u061c', '\\u200e\\u200f\\u061c'],
  ['line and paragraph separators', 'a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
  ['a byte order mark', '\ufeffa', '\\ufeffa'],
  ['a lone high surrogate', 'a\ud83d', 'a\\ud83d'],
  ['a lone low surrogate', '\ude00a', '\\ude00a'],
  ['surrogates in the wrong order', '\ude00\ud83d', '\\ude00\\ud83d'],
])('showText makes %s safe', (_, text, shown) => {
  expect(showText(text)).toBe(shown)
})

test('showLine is one line', () => {
  expect(showLine('a\n\n\tb\r\nc\rd')).toBe('a b c\\u000dd')
})

test.each([
  ['NUL', 'a\0b', 'a\ufffdb'],
  ['lone surrogates', '\ud83da\ude00', '\ufffda\ufffd'],
  ['nothing else', '\u001b😀\u202e', '\u001b😀\u202e'],
])('storeText replaces %s', (_, text, stored) => {
  expect(storeText(text)).toBe(stored)
})

test.each([
  ['short text', 'abc', 9, 'abc', false],
  ['text of just the size', 'abc', 3, 'abc', false],
  ['text one byte too long', 'abcd', 3, 'abc', true],
  ['a two-byte character at the edge', 'aé', 2, 'a', true],
  ['a two-byte character that fits', 'aé', 3, 'aé', false],
  ['a three-byte character one byte short', '東京', 5, '東', true],
  ['a four-byte character three bytes short', 'a😀', 2, 'a', true],
  ['a four-byte character one byte short', 'a😀', 4, 'a', true],
  ['a four-byte character that fits', 'a😀b', 5, 'a😀', true],
  ['everything', '😀', 0, '', true],
  ['nothing of nothing', '', 0, '', false],
])('cutBytes of %s', (_, text, maxBytes, cut, truncated) => {
  expect(cutBytes(text, maxBytes)).toEqual({ text: cut, truncated })
})

test('cutBytes never leaves half a character, wherever it cuts', () => {
  const text = 'aé東😀'.repeat(3)
  for (let maxBytes = 0; maxBytes < Buffer.byteLength(text); maxBytes++) {
    const cut = cutBytes(text, maxBytes)
    expect(cut.truncated).toBe(true)
    expect(text.startsWith(cut.text)).toBe(true)
    expect(cut.text.isWellFormed()).toBe(true)
    expect(Buffer.byteLength(cut.text)).toBeGreaterThan(maxBytes - 4)
  }
})
