import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { examine, listenSilently, openSetup, troubles, type Setup } from '../../../support/cli/doctor.ts'
import { openScreen } from '../../../support/cli/screen.ts'

const SIZED = { servers: { counting: { maxRequestBytes: 65_536 } } }
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`

const CASES = [
  ['Redis', 'queue', 7, (port: number) => ({ redisUrl: `redis://127.0.0.1:${port}` })],
  ['Postgres', 'store', 7, (port: number) => ({ databaseUrl: `postgres://nobody@127.0.0.1:${port}/none` })],
  ['the gateway', 'gateway as reports', 1, (port: number) => ({ gateway: { address: `127.0.0.1:${port}` } })],
  ['a webhook', 'webhook pager', 1, (port: number) => ({ webhooks: { pager: { url: `http://127.0.0.1:${port}/`, secret: SECRET } } })],
  [
    'the place of the keys',
    'api.pomerium',
    1,
    (port: number) => ({ api: { listen: '127.0.0.1:0', pomerium: { audience: 'ns.example.com', jwksUrl: `http://127.0.0.1:${port}/` } } }),
  ],
  ['the API', 'api.listen', 1, (port: number) => ({ api: { listen: `127.0.0.1:${port}` } })],
  [
    'the model',
    'model openai/scripted',
    1,
    (port: number) => ({ providers: { openai: { baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: 'model-key' } } }),
  ],
] as const

/** Puts keys into the configuration file; those of the gateway beside the others that it has. */
function put({ testApp: { world } }: Setup, config: object): void {
  const given = z.record(z.string(), z.unknown()).parse(parse(readFileSync(world.configFile, 'utf8')))
  for (const [key, value] of Object.entries({ ...SIZED, ...config }))
    given[key] = key === 'gateway' ? Object.assign({}, given[key], value) : value
  writeFileSync(world.configFile, stringify(given))
}

describe.concurrent('what takes a connection and says nothing', () => {
  test.for(CASES)('in the place of %s is failed within its time, and the other checks are done', async ([, check, exit, config]) => {
    await using silent = await listenSilently()
    await using setup = await openSetup()
    put(setup, config(silent.port))
    const { code, findings } = await examine(setup)
    expect(
      troubles(findings)
        .filter(({ status }) => status === 'failed')
        .map((one) => one.check),
    ).toEqual([check])
    expect(findings.find((one) => one.check === check && one.status === 'failed')?.cure).toMatch(/\w/)
    expect(findings.map((one) => one.check)).toContain(check === 'model openai/scripted' ? 'evidence' : 'model openai/scripted')
    expect(code).toBe(exit)
  })

  test.for(CASES)('in the place of %s: one Ctrl-C ends the command', async ([, , , config]) => {
    await using silent = await listenSilently()
    await using setup = await openSetup()
    put(setup, config(silent.port))
    const screen = openScreen(['-c', setup.testApp.world.configFile, 'doctor'])
    await silent.connected
    screen.interrupt()
    expect(await screen.ended).toBe(130)
  })

  test('in the place of the minter is there: it is only connected to', async () => {
    await using setup = await openSetup()
    const socket = join(setup.testApp.dir, 'silent.sock')
    const server = createServer(() => {})
    await new Promise<void>((done) => server.listen(socket, done))
    put(setup, { accounts: { reports: { tokenFile: 'reports.token', perRun: true } }, minter: { socket } })
    const { findings } = await examine(setup)
    expect(findings.find(({ check }) => check === 'minter')?.status).toBe('ok')
    server.close()
  })
})
