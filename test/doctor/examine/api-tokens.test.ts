import { expect, test } from 'vitest'
import { apiSchema } from '../../../src/config/sections/api.ts'
import { checkApiTokens } from '../../../src/doctor/examine/api-tokens.ts'

const api = (expires?: string) =>
  apiSchema.parse({ tokens: { orders: { sha256: '1'.repeat(64), role: 'runner', ...(expires !== undefined && { expires }) } } })
const at = Date.parse('2027-03-20T00:00:00Z')

test.each([
  ['never', undefined, []],
  ['later', '2027-04-04', []],
  ['soon', '2027-03-31', [{ status: 'warning', check: 'api token orders', message: 'It expires in 12.0 days.' }]],
  [
    'before',
    '2027-03-20T01:00:00+02:00',
    [
      {
        status: 'failed',
        message: 'It expired at 2027-03-19T23:00:00.000Z: who has it is refused.',
        cure: expect.stringContaining('nightshift api-token orders --role runner'),
      },
    ],
  ],
])('a token of the API that expires %s', (_, expires, found) => {
  const section = api(expires)
  expect(section && checkApiTokens(section, at)).toMatchObject(found)
})

test('what is no time is a fault', () => {
  for (const text of ['6', 'tomorrow', '2027-03-31T10:00:00', '31.03.2027']) expect(() => api(text), text).toThrow('is no time')
})
