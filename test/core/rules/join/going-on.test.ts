import { expect, test } from 'vitest'
import { mayGoOnUntil } from '../../../../src/core/rules/join/going-on.ts'

test('a provider whose end was not seen may go on for as long as it would have been let work', () => {
  expect(mayGoOnUntil({ startedAt: new Date('2027-01-04T05:00:00Z'), deadlineMs: 600_000 })).toEqual(new Date('2027-01-04T05:10:00Z'))
})
