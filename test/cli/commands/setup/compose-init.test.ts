import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { command } from '../../../support/cli/command.ts'

const home = mkdtempSync(join(tmpdir(), 'nightshift-compose-init-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const modeOf = (path: string) => statSync(path).mode & 0o777

test.each([
  ['one that is made', undefined],
  ['one that was there, open to everybody', 0o755],
])('nobody else may enter the directory of the secrets: %s', async (name, mode) => {
  const secrets = join(home, name)
  if (mode !== undefined) {
    mkdirSync(secrets)
    chmodSync(secrets, mode)
  }
  expect(await command(['compose-init', secrets])).toMatchObject({ code: 0, err: '' })
  expect(modeOf(secrets)).toBe(0o700)
})

test('what was there is kept, and what is made is not printed', async () => {
  const secrets = join(home, 'kept')
  await command(['compose-init', secrets])
  const before = readFileSync(join(secrets, 'pomerium_shared_secret'), 'utf8')
  rmSync(join(secrets, 'postgres_password'))
  const { code, out } = await command(['compose-init', secrets])
  expect({ code, first: out.split('\n')[0] }).toEqual({ code: 0, first: `Made in ${secrets}: postgres_password.` })
  expect(readFileSync(join(secrets, 'pomerium_shared_secret'), 'utf8')).toBe(before)
  expect(out).not.toContain(readFileSync(join(secrets, 'postgres_password'), 'utf8'))
})
