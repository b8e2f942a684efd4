import { expect, test } from 'vitest'
import { asUsedUp, describeError, describeFailure, Failure, messageOf, redactFailure, toFailure } from '../../src/core/failure.ts'
import { EXIT, FAILURES, type FailureKind } from '../../src/core/failure-codes.ts'
import { isNotRun, NotRun, SessionLost } from '../../src/core/ports/gateway.ts'

test('a failure keeps what happened and the cure of its code apart, and a person is shown both', () => {
  const failure = new Failure({ code: 'BUDGET_TURNS', message: 'The run used 3 turns.' })
  expect(failure).toMatchObject({ message: 'The run used 3 turns.', cure: 'Raise limits.turns, or ask for less.' })
  expect(failure).toMatchObject({ name: 'Failure', code: 'BUDGET_TURNS', retry: 'never' })
  expect(failure).toBeInstanceOf(Error)
  expect(describeFailure(failure)).toBe('The run used 3 turns. Raise limits.turns, or ask for less.')
  expect(describeError(failure)).toBe('The run used 3 turns. Raise limits.turns, or ask for less')
})

test('a failure can have a cure, a verdict and a cause of its own', () => {
  const cause = new Error('below')
  const failure = new Failure({ code: 'GATEWAY_UNREACHABLE', message: 'No.', cure: 'Do this.', retry: 'never', cause })
  expect(describeFailure(failure)).toBe('No. Do this.')
  expect(failure.retry).toBe('never')
  expect(failure.cause).toBe(cause)
})

test('a failure that tells of another does not carry the cure of the other', () => {
  const other = new Failure({ code: 'MODEL_AUTH', message: 'Key rejected.' })
  const failure = new Failure({ code: 'UPSTREAM_ERROR', message: `It said: ${messageOf(other)}.` })
  expect(describeFailure(failure)).toBe('It said: Key rejected. Read the server’s own log.')
})

test('a failure that is kept without a cure, as by earlier versions, is shown as it was written', () => {
  expect(describeFailure({ message: 'Stopped. Retry the run if it should go on.' })).toBe('Stopped. Retry the run if it should go on.')
})

test('the last failure of a run says how often it was tried, and the command that goes on', () => {
  const failure = new Failure({ code: 'MODEL_UNAVAILABLE', message: 'Down.' })
  expect(asUsedUp(failure.toJSON(), 3, 'run_1')).toEqual({
    ...failure.toJSON(),
    cure: `${FAILURES.MODEL_UNAVAILABLE.cure} Its attempts (3) are used up: nightshift retry run_1.`,
  })
  const waits = new Failure({ code: 'CONNECTION_REQUIRED', message: 'x.' }).toJSON()
  expect(asUsedUp(waits, 10, 'run_1').cure).toMatch(/Its waits \(10\) are used up: nightshift retry run_1\.$/)
  const { cure: _, ...earlier } = failure.toJSON()
  expect(asUsedUp(earlier, 1, 'run_1').cure).toContain(FAILURES.MODEL_UNAVAILABLE.cure)
})

test('what is hidden is hidden in the message and in the cure', () => {
  const failure = new Failure({ code: 'CONFIG_INVALID', message: 'hunter2 is wrong.', cure: 'Change hunter2.' })
  expect(redactFailure(failure.toJSON(), (text) => text.replaceAll('hunter2', '[secret]'))).toEqual({
    code: 'CONFIG_INVALID',
    message: '[secret] is wrong.',
    cure: 'Change [secret].',
    retry: 'never',
  })
})

test('as JSON it has only what it knows, and never its cause', () => {
  expect(JSON.stringify(new Failure({ code: 'CANCELLED', message: 'Stopped.', cause: new Error('secret') }))).toBe(
    '{"code":"CANCELLED","message":"Stopped.","cure":"Retry the run if it should go on.","retry":"never"}',
  )
  const full = new Failure({ code: 'UPSTREAM_UNAVAILABLE', message: 'x.', cure: 'y', requestId: 'r-1', retryAfterMs: 0, server: 'hr' })
  expect(full.toJSON()).toEqual({
    code: 'UPSTREAM_UNAVAILABLE',
    message: 'x.',
    cure: 'y',
    retry: 'later',
    requestId: 'r-1',
    retryAfterMs: 0,
    server: 'hr',
  })
})

test.each(Object.entries(FAILURES))('%s has a text, a cure, and codes that exist', (code, { text, cure, http, exit }: FailureKind) => {
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

test.each([
  ['EACCES', /Let the user/],
  ['EROFS', /Let the user/],
  ['ENOSPC', /Make room/],
  ['ENOENT', /correct its path/],
  ['EMFILE', /limit of the process/],
  ['EIO', /disk or mount/],
  ['EAI_AGAIN', /address/],
])('an error of the system that nobody foresaw says what to look at: %s', (code, cure) => {
  const failure = toFailure(Object.assign(new Error(`${code}: what, open '/a'`), { code }))
  expect(failure).toMatchObject({
    code: 'INTERNAL_ERROR',
    message: `Unexpected: ${code}: what, open '/a'.`,
    cure: expect.stringMatching(cure),
  })
})

test('what is thrown otherwise is a failure as it is, or points to the log', () => {
  const failure = new Failure({ code: 'DEADLINE', message: 'Late.' })
  expect(toFailure(failure)).toBe(failure)
  expect(toFailure('x')).toMatchObject({
    code: 'INTERNAL_ERROR',
    message: 'Unexpected: x.',
    cure: expect.stringMatching(/^Look at the log/),
  })
})
