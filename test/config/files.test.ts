import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { tmpdir } from 'node:os'
import { afterAll, expect, test } from 'vitest'
import { FILES } from '../../scripts/files.ts'
import { keysOf } from '../../scripts/reference.ts'
import { loadConfig } from '../../src/config/load.ts'
import { resolvePaths } from '../../src/config/paths.ts'
import { configSchema } from '../../src/config/schema.ts'
import { readAtOnce } from '../../src/lib/files/read-at-once.ts'
import { minterSchema } from '../../src/minter/config.ts'

const dir = mkdtempSync(join(tmpdir(), 'nightshift-files-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Keys that name something by its path, by their names and by what their sentences say. */
const pathKeys = (schema: Parameters<typeof keysOf>[0]) =>
  keysOf(schema)
    .filter(({ type }) => type === 'text')
    .filter(({ key, sentence }) => /(File|Dir|socket)$/.test(key) || /\b(files?|directory|folder|socket)\b/i.test(sentence))
    .map(({ key }) => key)

test('each key that names a file, a directory or a socket says when a change of it counts', () => {
  const keys = [...pathKeys(configSchema), ...pathKeys(minterSchema).map((key) => `minter: ${key}`)]
  expect(keys.length).toBeGreaterThan(12)
  expect(FILES.map(({ key }) => key)).toEqual(keys)
})

test('each is relative to the file that names it', () => {
  const given = configSchema.parse({
    gateway: { url: 'https://mcp.example.com', caFile: 'x' },
    databasePasswordFile: 'x',
    dataDir: 'x',
    jobsDir: 'x',
    reportsDir: 'x',
    accounts: { n: { tokenFile: 'x' } },
    providers: { n: { apiKeyFile: 'x', caFile: 'x' } },
    webhooks: { n: { url: 'https://example.com', secretFile: 'x', caFile: 'x' } },
    evidence: { keyFile: 'x', memoryFile: 'x' },
    admin: { url: 'https://example.com', sharedSecretFile: 'x', caFile: 'x' },
    minter: { socket: 'x' },
  })
  const resolved = resolvePaths(given, '/base')
  const valueOf = (key: string) =>
    key
      .split('.')
      .reduce<unknown>(
        (value, part) => Object.entries(Object(value)).find(([name]) => name === (part === '<name>' ? 'n' : part))?.[1],
        resolved,
      )
  for (const { key } of FILES.filter((row) => !row.key.startsWith('minter: ')))
    expect([key, isAbsolute(String(valueOf(key)))]).toEqual([key, true])
})

test('a file that is named is read without waiting for anybody, up to a bound', () => {
  const pipe = join(dir, 'pipe')
  execFileSync('mkfifo', [pipe])
  expect(readAtOnce(pipe)).toBe('')
  expect(() => readAtOnce('/dev/zero')).toThrow('more than 1000000 bytes')
  expect(() => readAtOnce(dir)).toThrow('EISDIR')
  expect(() => readAtOnce(join(dir, 'nowhere'))).toThrow('ENOENT')
  const text = 'é'.repeat(200_000)
  writeFileSync(join(dir, 'text'), text)
  expect(readAtOnce(join(dir, 'text'))).toBe(text)
})

test('a configuration file that is replaced by a pipe, which may never end, is not read again', () => {
  const file = join(dir, 'nightshift.yaml')
  execFileSync('mkfifo', [file])
  expect(() => loadConfig({ file, env: {}, again: true })).toThrow(`The configuration file ${file} cannot be read: it is a pipe`)
})
