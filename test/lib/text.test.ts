import { expect, test } from 'vitest'
import { cutBytes, cutMiddle, showLine, showText, sizeText, storeText } from '../../src/lib/text.ts'

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

test.each([
  ['nothing of nothing', '', 0, undefined],
  ['a text far below the size', 'abc', 100, undefined],
  ['a text of just the size', 'abcdefgh', 8, undefined],
  ['a text of just the size in bytes', '東京東京', 12, undefined],
  ['three quarters and one quarter', 'abcdefghi', 8, { head: 'abcdef', tail: 'hi', bytes: 9 }],
  ['the larger part at the beginning where the size does not divide', 'abcdefghi', 5, { head: 'abcd', tail: 'i', bytes: 9 }],
  ['a line end in the later half of the beginning', 'abcd\nfghijkl', 8, { head: 'abcd', tail: 'kl', bytes: 12 }],
  ['a line end in the earlier half of the beginning', 'ab\ndefghijkl', 8, { head: 'ab\ndef', tail: 'kl', bytes: 12 }],
  ['a line end in the middle of the beginning', 'abc\nefghijkl', 8, { head: 'abc\nef', tail: 'kl', bytes: 12 }],
  ['the last of several line ends of the beginning', 'abc\n\nfghijkl', 8, { head: 'abc\n', tail: 'kl', bytes: 12 }],
  ['a line end in the earlier half of the end', 'abcdefghijklmnop\nrst', 16, { head: 'abcdefghijkl', tail: 'rst', bytes: 20 }],
  ['the first of several line ends of the end', 'abcdefghijklmnopqrs\n\nvwx', 20, { head: 'abcdefghijklmno', tail: '\nvwx', bytes: 24 }],
  ['a line end one before the middle of the end', 'abcdefghijklmnopq\nst', 16, { head: 'abcdefghijkl', tail: 'st', bytes: 20 }],
  ['a line end in the middle of the end', 'abcdefghijklmnopqr\nt', 16, { head: 'abcdefghijkl', tail: 'qr\nt', bytes: 20 }],
  ['a line end in the later half of the end', 'abcdefghijklmnopqrs\n', 16, { head: 'abcdefghijkl', tail: 'qrs\n', bytes: 20 }],
  ['whole characters on both sides', 'aé東😀aé東😀', 9, { head: 'aé東', tail: '', bytes: 20 }],
  ['the end at a character that begins there', 'abcdefgh東', 12 - 2, { head: 'abcdefgh', tail: '', bytes: 11 }],
  ['the end with a character that fits', 'abcdefghijklm東', 15, { head: 'abcdefghijkl', tail: '東', bytes: 16 }],
])('cutMiddle keeps %s', (_, text, maxBytes, kept) => {
  expect(cutMiddle(text, maxBytes)).toEqual(kept)
})

test.each([
  [0, '0 bytes'],
  [812, '812 bytes'],
  [1023, '1023 bytes'],
  [1024, '1.0 KB'],
  [4198, '4.1 KB'],
  [10 * 1024, '10 KB'],
  [188.4 * 1024, '188 KB'],
  [1024 ** 2 - 1, '1024 KB'],
  [1024 ** 2, '1.0 MB'],
  [17.2 * 1024 ** 2, '17 MB'],
])('a size of %s bytes is said as %s', (bytes, said) => {
  expect(sizeText(bytes)).toBe(said)
})
