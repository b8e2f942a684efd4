// @ts-nocheck
import { expect, test } from 'vitest'
import { mayRun, strongestGrant, type Grant } from '../../src/core/caller.ts'

const grant = (role: Grant['role'], jobs?: string[]): Grant => ({ role, jobs })

test.each<[title: string, grants: Grant[], Grant | undefined]>([
  ['none is none', [], undefined],
  ['the stronger role wins, with its own jobs', [grant('operator'), grant('runner', ['a'])], grant('operator')],
  ['jobs of a weaker role are not added', [grant('viewer'), grant('runner', ['a'])], grant('runner', ['a'])],
  ['jobs of equal roles come together', [grant('runner', ['a', 'b']), grant('runner', ['b', 'c'])], grant('runner', ['a', 'b', 'c'])],
  ['all jobs are more than some', [grant('runner', ['a']), grant('runner')], grant('runner')],
])('of several grants: %s', (_, grants, expected) => {
  expect(strongestGrant(grants)).toEqual(expected)
  expect(strongestGrant(grants.toReversed())?.role).toBe(expected?.role)
})

test.each<[Grant, string, boolean]>([
  [grant('viewer'), 'a', false],
  [grant('viewer', ['a']), 'a', false],
  [grant('runner'), 'a', true],
  [grant('runner', ['a']), 'a', true],
  [grant('runner', ['a']), 'b', false],
  [grant('runner', []), 'a', false],
  [grant('operator', ['b']), 'a', true],
])('%j may run %s: %s', (caller, job, expected) => expect(mayRun(caller, job)).toBe(expected))
