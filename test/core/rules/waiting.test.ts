import { expect, test } from 'vitest'
import { waitAfter } from '../../../src/core/rules/waiting.ts'

test('a run whose server is not connected waits for a person to connect it for the account', () => {
  const failure = { code: 'CONNECTION_REQUIRED', message: 'Connect it.', retry: 'after-connection', server: 'shop' } as const
  expect(waitAfter(failure, 'reports')).toEqual({ kind: 'connection', account: 'reports', server: 'shop' })
})

test('a failure that names no server names none to wait for', () => {
  expect(waitAfter({ code: 'CONNECTION_REQUIRED', message: 'Connect it.', retry: 'after-connection' }, 'reports').server).toBe('')
})
