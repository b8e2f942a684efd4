// @ts-nocheck
import { expect, test } from 'vitest'
import { EXIT, Failure, FAILURES, messageOf } from '../../src/core/failure.ts'
import { isNotRun, NotRun, SessionLost } from '../../src/core/ports/gateway.ts'

test('a failure says what happened and the cure of its code', () => {
  const failure = new Failure({ code: 'BUDGET_TURNS', message: 'The run used 3 turns.' })
  expect(failure.message).toBe('The run used 3 turns. Raise limits.turns, or ask for less.')
  expect(failure).toMatchObject({ name: 'Failure', code: 'BUDGET_TURNS', retry: 'never' })
  expect(failure).toBeInstanceOf(Error)
})

test('a failure can have a cure, a verdict and a cause of its own', () => {
  const cause = new Error('below')
  const failure = new Failure({ code: 'GATEWAY_UNREACHABLE', message: 'No.', cure: 'Do this.', retry: 'never', cause })
  expect(failure.message).toBe('No. Do this.')
  expect(failure.retry).toBe('never')
  expect(failure.cause).toBe(cause)
})

test('as JSON it has only what it knows, and never its cause', () => {
  expect(JSON.stringify(new Failure({ code: 'CANCELLED', message: 'Stopped.', cause: new Error('secret') }))).toBe(
    '{"code":"CANCELLED","message":"Stopped. Retry the run if it should go on.","retry":"never"}',
  )
  const full = new Failure({ code: 'UPSTREAM_UNAVAILABLE', message: 'x.', cure: 'y', requestId: 'r-1', retryAfterMs: 0, server: 'hr' })
  expect(full.toJSON()).toEqual({
    code: 'UPSTREAM_UNAVAILABLE',
    message: 'x. y',
    retry: 'later',
    requestId: 'r-1',
    retryAfterMs: 0,
    server: 'hr',
  })
})

test.each(Object.entries(FAILURES))('%s has a text, a cure, and codes that exist', (code, { text, cure, http, exit }) => {
  expect(code).toMatch(/^[A-Z_]+$/)
  for (const sentence of [text, cure]) expect(sentence).toMatch(/^[A-Z].*\.$/s)
  expect(http).toBeGreaterThanOrEqual(400)
  expect(http).toBeLessThan(600)
  expect(Object.values(EXIT)).toContain(exit)
  expect(exit).not.toBe(EXIT.ok)
})

test.each([
  [new Error('It broke.'), 'It broke'],
  [new Error('It broke'), 'It broke'],
  ['a text.', 'a text'],
  [undefined, 'undefined'],
])('messageOf of %s fits into a sentence', (thrown, message) => {
  expect(messageOf(thrown)).toBe(message)
})

test('only a failure caused by NotRun says that nothing ran', () => {
  expect(isNotRun(new Failure({ code: 'TOOL_DENIED', message: 'x.', cause: new NotRun('denied') }))).toBe(true)
  for (const other of [new Failure({ code: 'TOOL_DENIED', message: 'x.' }), new NotRun('x'), new SessionLost('x'), 'text', undefined])
    expect(isNotRun(other)).toBe(false)
})
