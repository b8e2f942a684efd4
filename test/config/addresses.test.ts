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
  ['DATABASE_URL', 'a password with /', 'postgres://user:p@ss/canary@host/db', 'databaseUrl'],
  ['DATABASE_URL', 'a password with #', 'postgres://user@ss/w#canary@host/db', 'databaseUrl'],
  ['REDIS_URL', 'a password with / and #', 'redis://:p@ss/w#canary@host:6379', 'redisUrl'],
  ['REDIS_URL', 'a password with /', 'redis://:p@ss/canary@host:6379', 'redisUrl'],
  ['REDIS_URL', 'a database that is no number', 'redis://host:6379/canary', 'redisUrl'],
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

test.each([
  ['redis://host', 'redis://host'],
  ['rediss://:p%40ss@host:6379/3', 'rediss://:p%40ss@host:6379/3'],
  ['redis://host:6379/0?family=6', 'redis://host:6379/0?family=6'],
  ['redis://host:6379?commandTimeout=0&socketTimeout=0&keyPrefix=x&db=2', 'redis://host:6379?db=2'],
])('of %s the address is taken, and no setting of the client', (url, taken) => {
  expect(loadConfig({ file, env: { REDIS_URL: url } }).redisUrl).toBe(taken)
})
