import { createPublicKey } from 'node:crypto'
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { query } from '../../../src/store/postgres/db.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { command } from '../../support/cli/command.ts'

test('a key that is lost for good: what it signed is verified by its public half, and a new one begins again with the reason', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const evidence = (...args: string[]) => command(['-c', testApp.world.configFile, 'evidence', ...args])
  const file = testApp.app.config.evidence.keyFile
  const copy = join(testApp.dir, 'copy.pub')
  const ended = async () => {
    await testApp.run('work')
    await query(
      testApp.app.db,
      "update runs set finished_at = finished_at - interval '1 hour' where finished_at > now() - interval '30 minutes'",
    )
  }
  await ended()
  await evidence('key', 'create')
  expect(await evidence('checkpoint')).toMatchObject({ code: 0 })
  // The public half alone is made again from the key, as openssl pkey -pubout does.
  expect(createPublicKey(readFileSync(file)).export({ type: 'spki', format: 'pem' })).toBe(readFileSync(`${file}.pub`, 'utf8'))
  copyFileSync(`${file}.pub`, copy)
  for (const one of [file, `${file}.pub`, `${file}.last`]) rmSync(one)

  expect(await evidence('verify', '--store')).toMatchObject({ code: 2, err: expect.stringMatching(/^KEY_INVALID .*Bring it back/) })
  expect(await evidence('verify', '--store', '--key', copy)).toMatchObject({ code: 0 })
  await ended()
  await evidence('key', 'create')
  expect(await evidence('checkpoint')).toMatchObject({ code: 3, err: expect.stringMatching(/^EVIDENCE_GAP /) })
  expect(await evidence('checkpoint', '--accept-gap', 'the key is lost')).toMatchObject({ code: 0 })
  expect(await evidence('verify', '--store')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/2 signed: 2 intact[^]*goes on after a gap: .*: the key is lost\n/),
  })
  expect(await evidence('verify', '--store', '--key', copy)).toMatchObject({
    code: 3,
    out: expect.stringContaining('which nothing before it introduces'),
  })
})
