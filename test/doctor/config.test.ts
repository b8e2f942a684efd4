import { expect, test } from 'vitest'
import { faultsOfConfig } from '../../src/doctor/config.ts'
import { minutes } from '../support/cli/status.ts'

const process = (name: string, waiting: readonly string[] | null) => ({
  name, role: 'all', version: '1', slots: 4, startedAt: minutes(-9), seenAt: minutes(0), heardAgoMs: 0, alive: true, skewMs: 0, runs: 0,
  config: waiting && { digest: 'a1', waiting, fault: undefined },
}) // prettier-ignore

test('keys that take a restart are named, once for all processes where they are the same', () => {
  const keys = ['worker.concurrency', 'redisUrl']
  expect(faultsOfConfig([process('a:1', keys), process('b:1', keys), process('c:1', ['log']), process('d:1', null)])).toMatchObject([
    { status: 'warning', message: 'These keys are not in force in a:1 and 1 more as the file has them: worker.concurrency, redisUrl.' },
    { status: 'warning', message: 'These keys are not in force in c:1 as the file has them: log.' },
  ])
})

test('of processes that have in force what is written, nothing is said', () => {
  expect(faultsOfConfig([process('a:1', []), process('b:1', null)])).toEqual([])
})
