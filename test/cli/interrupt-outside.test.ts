import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { JOB } from '../support/cli/operators.ts'
import { buildTestApp } from '../support/app/test-app.ts'
import { listenSilently } from '../support/cli/doctor.ts'
import { openScreen } from '../support/cli/screen.ts'

test.for([
  ['jobs check', ['--live']],
  ['jobs pin', ['act']],
  ['connect', ['labor', '--account', 'reports', '--redirect', 'https://nightshift.example.com/.pomerium/mcp/connected']],
  ['disconnect', ['labor', '--account', 'reports']],
] as const)('one Ctrl-C ends %s at a gateway that says nothing', async ([name, words]) => {
  await using silent = await listenSilently()
  await using testApp = await buildTestApp({ jobs: { act: JOB } })
  const { world } = testApp
  writeFileSync(world.configFile, readFileSync(world.configFile, 'utf8').replace(/address: .*/, `address: 127.0.0.1:${silent.port}`))
  const screen = openScreen(['-c', world.configFile, ...name.split(' '), ...words])
  await Promise.race([silent.connected, screen.ended])
  screen.interrupt()
  expect(await screen.ended).toBe(130)
})

test.for([['create', 'audit', '--user', 'svc-audit', '--show-token'], ['list'], ['rotate', 'reports'], ['delete', 'an-id']])(
  'one Ctrl-C ends account %s at an administration that says nothing',
  async (words) => {
    await using silent = await listenSilently()
    await using testApp = await buildTestApp({ jobs: { act: JOB } })
    const { world } = testApp
    const secret = join(testApp.dir, 'shared-secret')
    writeFileSync(secret, `${Buffer.alloc(32, 1).toString('base64')}\n`, { mode: 0o600 })
    const admin = `admin: { url: http://127.0.0.1:${silent.port}, sharedSecretFile: ${secret} }\n`
    writeFileSync(world.configFile, `${readFileSync(world.configFile, 'utf8')}\n${admin}`)
    const screen = openScreen(['-c', world.configFile, 'account', ...words])
    await Promise.race([silent.connected, screen.ended])
    screen.interrupt()
    expect(await screen.ended).toBe(130)
  },
)
