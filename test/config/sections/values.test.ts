import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadConfig, type Config } from '../../../src/config/load.ts'
import { describeFailure, Failure } from '../../../src/core/failure.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-config-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let count = 0
function write(text: string): string {
  const file = join(dir, `${count++}.yaml`)
  writeFileSync(file, text)
  return file
}

const load = (text: string): Config => loadConfig({ file: write(text), env: {} })

/** The message with which a configuration is refused, without its directory. */
function refused(text: string): string {
  const file = write(text)
  try {
    loadConfig({ file, env: {} })
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', retry: 'never' })
    return error instanceof Failure ? describeFailure(error).replaceAll(file, 'c.yaml') : ''
  }
  return 'loaded'
}

const one = (line: number, fault: string) =>
  `The configuration has a fault:\n  c.yaml:${line}: ${fault}\n Correct the file or variable named.`

const GOOD = `gateway:
  url: https://mcp.example.com
accounts:
  reports:
    token: TOKEN
providers:
  openai:
    apiKey: KEY
`

test('a password of a file needs a connection string that takes one', () => {
  writeFileSync(join(dir, 'password'), 'hunter2')
  const message = refused(`${GOOD}databaseUrl: "postgres:///ns?host=/run/pg"\ndatabasePasswordFile: password\n`)
  expect(message).toContain('databasePasswordFile needs a databaseUrl with a host')
  expect(message).not.toContain('hunter2')
})

test('an address to listen on has a port that there is; 0 is any', () => {
  expect(refused(`${GOOD}api: { listen: "127.0.0.1:99999" }\n`)).toBe(one(9, 'api.listen must end in a port from 0 to 65535'))
  expect(load(`${GOOD}api: { listen: "127.0.0.1:0" }\n`).api?.listen).toBe('127.0.0.1:0')
})

test.each([
  ['worker: { lockTimeout: 0s }', 'worker.lockTimeout is too short; the least is 2s'],
  ['worker: { lockTimeout: 1999ms }', 'worker.lockTimeout is too short; the least is 2s'],
  ['audit: { gracePeriod: 0s }', 'audit.gracePeriod is too short; the least is 1ms'],
])('a time so short that no run would come through is refused: %s', (text, fault) => {
  expect(refused(`${GOOD}${text}\n`)).toBe(one(9, fault))
})
