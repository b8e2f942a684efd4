import { expect, test } from 'vitest'
import { z } from 'zod'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { command } from '../../../support/cli/command.ts'
import { findingSchema, job } from '../../../support/cli/doctor.ts'
import { countingRoute, startCountingServer } from '../../../support/mcp/counting-server.ts'

test('with --spend a hosted provider is asked whether it goes to servers, without a token of ours: no call is made, and no line of the log is of an account', async () => {
  await using server = await startCountingServer()
  await using testApp = await buildTestApp({
    jobs: { act: job(undefined, 'delegate: hosted') },
    scripts: { scripted: 'call counting__act {"n": 1}\nsay ok' },
    routes: [countingRoute(server)],
    background: true,
    config: { audit: { gracePeriod: '1ms' } },
  })
  const hostedOf = async (...args: string[]) => {
    const { out } = await command(['-c', testApp.world.configFile, 'doctor', '--json', ...args])
    return z
      .array(findingSchema)
      .parse(JSON.parse(out))
      .filter(({ check }) => check === 'hosted openai/scripted')
  }
  expect(await hostedOf()).toMatchObject([{ status: 'skipped', message: expect.stringContaining('--spend') }])
  expect(await hostedOf('--spend')).toMatchObject([{ status: 'ok', message: expect.stringContaining('at counting, without a token') }])
  expect(server.effects).toEqual([])
  await testApp.world.gateway.flushLog()
  await command(['-c', testApp.world.configFile, 'audit', 'import', testApp.world.logFile])
  const { out } = await command(['-c', testApp.world.configFile, 'audit', 'report', '--json'])
  expect(JSON.parse(out)).toMatchObject({ unexplained: 0, recent: 0, unreported: 0, suspects: [] })
})
