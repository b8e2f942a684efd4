import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-addresses-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))
const file = join(dir, 'nightshift.yaml')
writeFileSync(file, 'gateway: { url: https://mcp.example.com }\naccounts: {}\nproviders: {}\n')

const KEYS: Record<string, string> = { DATABASE_URL: 'databaseUrl', REDIS_URL: 'redisUrl' }

test.each([
  ['DATABASE_URL', 'no URL', 'canary'],
  ['DATABASE_URL', 'another scheme', 'mysql://canary@host/db'],
  ['DATABASE_URL', 'a port that is none', 'postgres://user:canary@host:99999/db'],
  ['REDIS_URL', 'no URL', 'canary'],
  ['DATABASE_URL', 'a password with /', 'postgres://user:p@ss/canary@host/db'],
  ['DATABASE_URL', 'a password with #', 'postgres://user@ss/w#canary@host/db'],
  ['REDIS_URL', 'a password with / and #', 'redis://:p@ss/w#canary@host:6379'],
  ['REDIS_URL', 'a password with /', 'redis://:p@ss/canary@host:6379'],
  ['REDIS_URL', 'a database that is no number', 'redis://host:6379/canary'],
  ['REDIS_URL', 'another scheme', 'http://canary@host'],
])('%s with %s is refused with the place that it stands at, and without its text', (variable, _, value) => {
  const key = KEYS[variable] ?? ''
  const inFile = join(dir, 'written.yaml')
  writeFileSync(inFile, `gateway: { url: https://mcp.example.com }\naccounts: {}\nproviders: {}\n${key}: "${value}"\n`)
  for (const [load, place] of [
    [() => loadConfig({ file, env: { [variable]: value } }), `The variable ${variable} is no address`],
    [() => loadConfig({ file: inFile, env: {} }), `${inFile}:4: ${key} is no address`],
  ] as const) {
    expect(load).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(place) }))
    expect(load).not.toThrow(/canary/)
  }
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
