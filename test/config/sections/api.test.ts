import { expect, test } from 'vitest'
import { apiSchema } from '../../../src/config/sections/api.ts'

test('two names for one API token are refused: its role would be that of the first', () => {
  const tokens = { reader: { sha256: '0'.repeat(64), role: 'viewer' }, writer: { sha256: '0'.repeat(64), role: 'operator' } }
  expect(apiSchema.safeParse({ tokens }).error?.issues).toMatchObject([
    { path: ['tokens', 'writer', 'sha256'], message: 'is that of reader; each needs a token of its own: nightshift api-token' },
  ])
  const apart = { ...tokens, writer: { ...tokens.writer, sha256: '1'.repeat(64) } }
  expect(apiSchema.safeParse({ tokens: apart }).success).toBe(true)
})
