// A key that is not set is told as that, whatever the provider makes of it.
import { APIConnectionError, APIError } from 'openai'
import { expect, test } from 'vitest'
import { modelFailure } from '../../../src/models/errors/failure.ts'

const missing = { fault: 'c.yaml:6: providers.odd.apiKey is empty: the variable ODD_KEY is not set', cure: 'Set the variable ODD_KEY.' }
const cut = () => new APIConnectionError({ message: 'Connection error.' })
const refused = () => new APIError(401, { message: 'no' }, undefined, undefined)
const about = (error: unknown, given: { missing?: typeof missing; wantsKey: boolean }) =>
  modelFailure(error, { provider: 'odd', model: 'm', redact: (text) => text, wantsKey: given.wantsKey, missingKey: () => given.missing })

const TOLD = ` No key was sent: ${missing.fault}.`

test('a service that refuses a request without a key, and one that cuts it off', () => {
  expect(about(refused(), { missing, wantsKey: true })).toMatchObject({
    code: 'MODEL_AUTH',
    message: `odd, model m: 401 no.${TOLD}`,
    cure: missing.cure,
  })
  expect(about(cut(), { missing, wantsKey: true })).toMatchObject({
    code: 'MODEL_UNAVAILABLE',
    retry: 'later',
    message: `odd, model m: Connection error.${TOLD}`,
    cure: expect.stringContaining(missing.cure),
  })
})

test('a server of one’s own may want none: only where it asks for one is it told', () => {
  expect(about(refused(), { missing, wantsKey: false })).toMatchObject({ message: `odd, model m: 401 no.${TOLD}` })
  expect(about(cut(), { missing, wantsKey: false })).toMatchObject({ message: 'odd, model m: Connection error.' })
})

test('a key that was sent is not called missing', () => {
  for (const error of [refused(), cut()])
    expect(about(error, { wantsKey: true })).not.toMatchObject({ message: expect.stringContaining('No key') })
})
