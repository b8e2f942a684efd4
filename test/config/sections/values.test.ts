import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createConfigFiles, GOOD, oneFault } from '../../support/app/config-files.ts'

const { dir, load, refused } = createConfigFiles()

test('a password of a file needs a connection string that takes one', () => {
  writeFileSync(join(dir, 'password'), 'hunter2')
  const message = refused(`${GOOD}databaseUrl: "postgres:///ns?host=/run/pg"\ndatabasePasswordFile: password\n`)
  expect(message).toContain('databasePasswordFile needs a databaseUrl with a host')
  expect(message).not.toContain('hunter2')
})

test('an address to listen on has a port that there is; 0 is any', () => {
  expect(refused(`${GOOD}api: { listen: "127.0.0.1:99999" }\n`)).toBe(oneFault(9, 'api.listen must end in a port from 0 to 65535'))
  expect(refused(`${GOOD}api: { listen: ":8480" }\n`)).toBe(
    oneFault(
      9,
      'api.listen must be host:port; write 127.0.0.1:8480 for this machine alone, or 0.0.0.0:8480 for all, which needs tokens or pomerium beside it',
    ),
  )
  expect(refused(GOOD.replace('gateway:', 'gateway:\n  address: 443'))).toContain(
    'gateway.address must be host:port, such as 127.0.0.1:8480\n',
  )
  expect(load(`${GOOD}api: { listen: "127.0.0.1:0" }\n`).api?.listen).toBe('127.0.0.1:0')
})

test.each([
  ['worker: { lockTimeout: 0s }', 'worker.lockTimeout is too short; the least is 2s'],
  ['worker: { lockTimeout: 1999ms }', 'worker.lockTimeout is too short; the least is 2s'],
  ['audit: { gracePeriod: 0s }', 'audit.gracePeriod is too short; the least is 1ms'],
])('a time so short that no run would come through is refused: %s', (text, fault) => {
  expect(refused(`${GOOD}${text}\n`)).toBe(oneFault(9, fault))
})
