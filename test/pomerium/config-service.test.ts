import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createDemoAccounts } from '../../src/demo/gateway/accounts.ts'
import { startDemoConfigService } from '../../src/demo/gateway/config-service.ts'
import { openConfigService } from '../../src/pomerium/config-service.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-config-service-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('a shared secret that was replaced is used for the next request; one that cannot be used is told, and a later one heals it', async () => {
  const [before, after] = [randomBytes(32), randomBytes(32)]
  const file = join(dir, 'shared_secret')
  const put = (secret: string) => writeFileSync(file, secret)
  put(before.toString('base64'))
  await using pomerium = await startDemoConfigService({ accounts: createDemoAccounts(), sharedSecret: after })
  await using service = openConfigService({ url: pomerium.url, sharedSecretFile: file })
  await expect(service.list()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('does not accept') })
  put(after.toString('base64'))
  expect(await service.list()).toEqual([])
  put('short')
  await expect(service.list()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('32 bytes') })
  rmSync(file)
  await expect(service.list()).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('cannot be read') })
  put(`${after.toString('base64')}\n`)
  expect(await service.list()).toEqual([])
})

test('a secret that cannot be used is told at once', () => {
  writeFileSync(join(dir, 'short'), 'short')
  for (const file of ['short', 'nowhere'])
    expect(() => openConfigService({ url: 'http://127.0.0.1:9', sharedSecretFile: join(dir, file) })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
})
