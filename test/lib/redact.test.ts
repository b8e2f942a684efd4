import { expect, test } from 'vitest'
import { createRedactor, redactTexts } from '../../src/lib/redact.ts'

function redactorOf(...secrets: string[]) {
  const redactor = createRedactor()
  for (const secret of secrets) redactor.add(secret)
  return redactor
}

test.each([
  ['each place of a secret', ['hunter2-hunter2'], 'a hunter2-hunter2 b hunter2-hunter2', 'a [secret] b [secret]'],
  ['several secrets', ['first-secret', 'second-secret'], 'second-secret, first-secret', '[secret], [secret]'],
  ['a secret that is the beginning of another', ['abcdefgh', 'abcdefghijkl'], 'abcdefghijkl abcdefgh', '[secret] [secret]'],
  ['the same secret given twice', ['abcdefgh', 'abcdefgh'], 'abcdefgh', '[secret]'],
  ['a secret with characters that patterns know', ['a.b*c$&(d)'], 'a.b*c$&(d) axbbc', '[secret] axbbc'],
])('takes out %s', (_, secrets, text, redacted) => {
  expect(redactorOf(...secrets).redact(text)).toBe(redacted)
})

test('a text shorter than eight characters is not a secret: it would be found everywhere', () => {
  expect(redactorOf('', 'a', '1234567').redact('a 1234567')).toBe('a 1234567')
  expect(redactorOf('12345678').redact('12345678')).toBe('[secret]')
})

test('hides nothing before a secret is added', () => {
  expect(createRedactor().redact('text')).toBe('text')
})

test('forgets a secret once it has expired, so that tokens of single runs do not pile up', () => {
  let now = 0
  const redactor = createRedactor(() => now)
  redactor.add('token-of-a-run', new Date(1000))
  redactor.add('token-for-ever')
  now = 999
  redactor.add('another-token', new Date(5000))
  expect(redactor.redact('token-of-a-run token-for-ever')).toBe('[secret] [secret]')
  now = 1000
  redactor.add('one-more-token')
  expect(redactor.redact('token-of-a-run token-for-ever another-token')).toBe('token-of-a-run [secret] [secret]')
})

test.each([
  ['later', 1000, 5000],
  ['earlier', 5000, 1000],
])('a secret that is given again, and opens something until %s, stays known for the longer time', (_, first, second) => {
  let now = 0
  const redactor = createRedactor(() => now)
  redactor.add('token-of-a-run', new Date(first))
  redactor.add('token-of-a-run', new Date(second))
  now = 4999
  redactor.add('another-token')
  expect(redactor.redact('token-of-a-run')).toBe('[secret]')
  now = 5000
  redactor.add('one-more-token')
  expect(redactor.redact('token-of-a-run')).toBe('token-of-a-run')
})

const jwt = `${'a1'.repeat(12)}.${'b2'.repeat(30)}.${'c3'.repeat(15)}`
test.each([
  ['the parts of a token', `x ${'b2'.repeat(30)} y ${'c3'.repeat(15)}`, 'x [secret] y [secret]'],
  ['a token of an MCP client that nobody knows', 'key pom_mat_abcdefgh12345-x and pom_mrt_ABCDEFGH_12', 'key [secret] and [secret]'],
  ['a token that was sent to Pomerium', 'Bearer Pomerium-eyJhbGci.eyJzdWIi.c2ln-x', 'Bearer [secret]'],
])('takes out %s', (_, text, redacted) => {
  expect(redactorOf(jwt).redact(text)).toBe(redacted)
})

test.each([
  [
    'a part of less than 20 characters',
    `${'a'.repeat(19)}.${'b'.repeat(20)}.${'c'.repeat(19)}`,
    `${'a'.repeat(19)} ${'b'.repeat(20)}`,
    `${'a'.repeat(19)} [secret]`,
  ],
  ['parts of what is longer than a token', `see: ${jwt}`, 'b2'.repeat(30), 'b2'.repeat(30)],
  ['parts of what goes on after a token', `${jwt}; and so on`, 'b2'.repeat(30), 'b2'.repeat(30)],
])('of a secret, %s is kept or taken out by what it is', (_, secret, text, redacted) => {
  expect(redactorOf(secret).redact(text)).toBe(redacted)
})

test('leaves what only begins like a token', () => {
  const text = 'Pomerium-managed routes, pom_mat_short and Pomerium-2.0 are no tokens'
  expect(redactorOf().redact(text)).toBe(text)
})

test.each([
  ['Pomerium-0.28.1-rc.1', 'a version'],
  ['Pomerium-managed-routes-and-policies', 'a name'],
  ['Pomerium-release-notes-2026-11-27', 'a name with digits'],
])('leaves %s, which is %s', (text) => {
  expect(redactorOf().redact(text)).toBe(text)
})

test.each([
  ['a token with text around it', 'url?k=Pomerium-eyJhbGci.eyJzdWIi.c2ln&x=pom_mat_abcdefgh12345', 'url?k=[secret]&x=[secret]'],
  ['a token that a sentence ends with', 'It is Pomerium-eyJhbGci.eyJzdWIi.c2ln.', 'It is [secret].'],
  ['an opaque token', 'Pomerium-aB3dEf6hIj9LmNo2PqRs', '[secret]'],
  ['an API token', 'Bearer nsk_0123456789abcdefghij', 'Bearer [secret]'],
])('takes out %s', (_, text, redacted) => {
  expect(redactorOf().redact(text)).toBe(redacted)
})

test('finds a secret inside JSON, where some characters are written otherwise', () => {
  expect(redactorOf('pass"word\\1').redact(JSON.stringify({ key: 'pass"word\\1' }))).toBe('{"key":"[secret]"}')
})

const escaped = (text: string) => text.replaceAll(/./g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)
test.each([
  ['written as escapes', `{"key":"${escaped('secret/one')}"}`, '{"key":"[secret]"}'],
  ['with one of its characters written so', '{"key":"secret\\/on\\u0065","other":"\\"\\u0022"}', '{"key":"[secret]","other":"\\"\\u0022"}'],
  ['in JSON that stands in JSON', JSON.stringify({ text: `{"key":"${escaped('secret/one')}"}` }), '{"text":"{\\"key\\":\\"[secret]\\"}"}'],
  ['of a shape that tells it', `{"key":"${escaped('pom_mat_abcdefgh12345')}"}`, '{"key":"[secret]"}'],
])('finds a secret %s: what reads the JSON would put it together', (_, text, redacted) => {
  expect(redactorOf('secret/one').redact(text)).toBe(redacted)
})

test('leaves escapes that hide no secret as they are', () => {
  const text = String.raw`C:\new\/dir \u0065 e`
  expect(redactorOf('secret/one').redact(text)).toBe(text)
})

test('redacts each text of a value, and leaves what is no JSON', () => {
  const at = new Date(0)
  const value = { a: ['x secret-one'], 'secret-one': { b: 1, c: null }, at }
  expect(redactTexts(value, redactorOf('secret-one').redact)).toEqual({ a: ['x [secret]'], '[secret]': { b: 1, c: null }, at })
})

test.each(['Pomerium-', 'Pomerium-a.', 'pom_mat_', 'nsk_', '-', '.', '\\', '\\u', '\\u00', '\\u0065', '\\/'])(
  'takes time that grows with the text alone: %s',
  (piece) => {
    const text = piece.repeat(1_000_000 / piece.length)
    expect(redactorOf(jwt).redact(text).length).toBeGreaterThan(0)
  },
)
