import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { listenSilently, openSetup } from '../../../support/cli/doctor.ts'
import { openScreen } from '../../../support/cli/screen.ts'

const SIZED = { servers: { counting: { maxRequestBytes: 65_536 } } }
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`

describe('what takes a connection and says nothing', () => {
  test.for([
    ['Redis', (port: number) => ({ ...SIZED, redisUrl: `redis://127.0.0.1:${port}` })],
    ['the gateway', (port: number) => ({ ...SIZED, gateway: { address: `127.0.0.1:${port}` } })],
    ['a webhook', (port: number) => ({ ...SIZED, webhooks: { pager: { url: `http://127.0.0.1:${port}/`, secret: SECRET } } })],
    [
      'the place of the keys',
      (port: number) => ({ ...SIZED, api: { pomerium: { audience: 'ns.example.com', jwksUrl: `http://127.0.0.1:${port}/` } } }),
    ],
    ['the model', (port: number) => ({ ...SIZED, providers: { openai: { baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: 'model-key' } } })],
  ] as const)('in the place of %s: one Ctrl-C ends the command', async ([, config]) => {
    await using silent = await listenSilently()
    await using setup = await openSetup()
    const given = z.record(z.string(), z.unknown()).parse(parse(readFileSync(setup.testApp.world.configFile, 'utf8')))
    for (const [key, value] of Object.entries(config(silent.port)))
      given[key] = key === 'gateway' ? Object.assign({}, given[key], value) : value
    writeFileSync(setup.testApp.world.configFile, stringify(given))
    const screen = openScreen(['-c', setup.testApp.world.configFile, 'doctor'])
    await silent.connected
    screen.interrupt()
    expect(await screen.ended).toBe(130)
  })
})
