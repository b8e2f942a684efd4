import { expect, test } from 'vitest'
import { codesOf, isNeverConnected } from '../../../src/lib/net/connection-error.ts'

const withCode = (code: string, extra: object = {}) => Object.assign(new Error(code), { code, ...extra })
const fetchFailed = (cause: unknown) => new TypeError('fetch failed', { cause })

test.each([
  ['a refused connection', fetchFailed(withCode('ECONNREFUSED', { syscall: 'connect' })), true],
  ['a name that nobody knows', fetchFailed(withCode('ENOTFOUND', { syscall: 'getaddrinfo' })), true],
  ['addresses of which none answers', fetchFailed(Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })), true],
  ['a network that is away', withCode('ENETUNREACH', { syscall: 'connect' }), true],
  ['a network that goes away under a connection', fetchFailed(withCode('EHOSTUNREACH', { syscall: 'read' })), false],
  ['a network that goes away in the middle of a request', fetchFailed(withCode('ENETUNREACH', { syscall: 'write' })), false],
  ['a connection that was reset', fetchFailed(withCode('ECONNRESET', { syscall: 'read' })), false],
  ['an error without a code', new Error('broken'), false],
  ['what is no error', 'ECONNREFUSED', false],
])('%s: whether no connection ever stood', (_, error, expected) => {
  expect(isNeverConnected(error)).toBe(expected)
})

test('codes come outermost first', () => {
  expect(codesOf(Object.assign(fetchFailed(withCode('B')), { code: 'A' }))).toEqual(['A', 'B'])
  expect(codesOf(undefined)).toEqual([])
})
