import { expect, test } from 'vitest'
import { jobsOf, type Grant, type Role } from '../../src/core/caller.ts'

const grant = (role: Role, ...jobs: string[]): Grant => ({ role, jobs: jobs.length > 0 ? jobs : undefined })

test.each<[title: string, grants: Grant[], viewer: string[] | undefined, runner: string[] | undefined, operator: string[] | undefined]>([
  ['nobody', [], [], [], []],
  ['a viewer', [grant('viewer')], undefined, [], []],
  ['a viewer of some jobs', [grant('viewer', 'a')], ['a'], [], []],
  ['a runner', [grant('runner')], undefined, undefined, []],
  ['a runner of some jobs sees those alone', [grant('runner', 'a', 'b')], ['a', 'b'], ['a', 'b'], []],
  ['an operator of some jobs', [grant('operator', 'a')], ['a'], ['a'], ['a']],
  ['an operator', [grant('operator')], undefined, undefined, undefined],
  ['a viewer of all who runs one', [grant('viewer'), grant('runner', 'a')], undefined, ['a'], []],
  ['an operator of one who runs another', [grant('operator', 'a'), grant('runner', 'a', 'b')], ['a', 'b'], ['a', 'b'], ['a']],
  ['a role that is for no job', [{ role: 'operator', jobs: [] }], [], [], []],
])('%s', (_, grants, viewer, runner, operator) => {
  for (const given of [grants, grants.toReversed()])
    expect((['viewer', 'runner', 'operator'] as const).map((role) => jobsOf({ grants: given }, role)?.toSorted())).toEqual([
      viewer,
      runner,
      operator,
    ])
})
