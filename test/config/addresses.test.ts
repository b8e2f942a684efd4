import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-addresses-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const file = join(dir, 'nightshift.yaml')
writeFileSync(file, 'gateway: { url: https://mcp.example.com }\naccounts: {}\nproviders: {}\n')

test.each([
  ['DATABASE_URL', 'no URL', 'canary', 'databaseUrl'],
  ['DATABASE_URL', 'another scheme', 'mysql://canary@host/db', 'databaseUrl'],
  ['DATABASE_URL', 'a port that is none', 'postgres://user:canary@host:99999/db', 'databaseUrl'],
  ['REDIS_URL', 'no URL', 'canary', 'redisUrl'],
  ['REDIS_URL', 'another scheme', 'http://canary@host', 'redisUrl'],
])('%s with %s is refused with the names of both places, and without its text', (variable, _, value, key) => {
  const load = () => loadConfig({ file, env: { [variable]: value } })
  expect(load).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`${key} of ${file}, or the variable ${variable}, `),
    }),
  )
  expect(load).not.toThrow(/canary/)
})

test.each(['postgres://host/db', 'postgresql://user:pw@host:5432/db', 'postgres:///db?host=/run/postgresql'])('%s is an address', (url) => {
  expect(loadConfig({ file, env: { DATABASE_URL: url } }).databaseUrl).toBe(url)
})
