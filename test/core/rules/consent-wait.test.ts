import { expect, test } from 'vitest'
import { waitAfter } from '../../../src/core/rules/consent-wait.ts'

const failure = (server?: string) => ({
  code: 'CONNECTION_REQUIRED' as const,
  message: 'Connect it.',
  retry: 'after-connection' as const,
  ...(server !== undefined && { server }),
})

test('a run waits for the server that its failure names, as the account that is to use it', () => {
  expect(waitAfter(failure('shop'), 'reports', ['drive', 'shop'])).toEqual({ kind: 'connection', account: 'reports', server: 'shop' })
})

test('nobody waits for a server that the job has not, such as one that a provider made up: no person could ever connect it', () => {
  expect(waitAfter(failure('nowhere'), 'reports', ['shop'])).toBeUndefined()
  expect(waitAfter(failure(), 'reports', ['shop'])).toBeUndefined()
})
