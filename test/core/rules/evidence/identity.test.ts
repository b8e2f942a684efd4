import { expect, test } from 'vitest'
import { identityOf } from '../../../../src/core/rules/evidence/identity.ts'

const digest = (of: string) => ({ digest: of })

test('a small result is told from others by its text, a kept one by its digest, and each by its images in their order', () => {
  expect(identityOf({ text: 'a' })).toBe('a')
  expect(identityOf({ text: 'shown in part', kept: digest('d1') })).toBe('d1')
  expect(identityOf({ text: 'a', images: [digest('i1'), digest('i2')] })).toBe('a\ni1\ni2')
  expect(identityOf({ text: 'a', images: [digest('i2'), digest('i1')] })).toBe('a\ni2\ni1')
})
