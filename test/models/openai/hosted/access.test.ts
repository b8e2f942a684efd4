import { expect, test } from 'vitest'
import { accessOf } from '../../../../src/models/openai/hosted/access.ts'

const HEADERS = { authorization: 'Bearer Pomerium-token', 'x-nightshift-run-id': 'run_1' }

test('the token goes among the headers, or in the field without what the provider puts before it', () => {
  expect(accessOf(HEADERS, 'headers')).toEqual({ headers: HEADERS })
  expect(accessOf(HEADERS, 'authorization')).toEqual({ authorization: 'Pomerium-token', headers: { 'x-nightshift-run-id': 'run_1' } })
})

test('where the token is all, there are no headers beside it', () => {
  expect(accessOf({ authorization: HEADERS.authorization }, 'authorization')).toEqual({ authorization: 'Pomerium-token' })
})
