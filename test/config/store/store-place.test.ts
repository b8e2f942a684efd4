import { afterAll, beforeAll, expect, test } from 'vitest'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findStore } from '../../../src/config/store/store-place.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'place-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const place = (text: string, env = {}) => {
  const file = join(dir, 'half.yaml')
  writeFileSync(file, text)
  return findStore({ file, env }).place
}
const ADDRESS = 'postgres://somebody@db.example/nightshift'

// What is left of the key, or what somebody who does not know its name writes: the embedded Postgres, or that of the environment, would be the wrong one.
test.each([
  `DATABASE_URL: ${ADDRESS}`,
  `Database-Url: ${ADDRESS}`,
  `database: ${ADDRESS}`,
  `database: { url: "${ADDRESS}" }`,
  `postgres: ${ADDRESS}`,
  `dbUrl: ${ADDRESS}`,
  'store: "${PG}"',
  `connections: [{ to: ["${ADDRESS}"] }]`,
  `"${ADDRESS}":`,
  'dir: /var/lib/nightshift',
  'data: ./other',
  'DATA_DIR: elsewhere',
  'storage: { path: "C:\\\\nightshift" }',
  `log: { DATABASE_URL: "${ADDRESS}" }`,
  `worker: { url: "${ADDRESS}" }`,
  `worker:\n  concurrency: 4\n  database_url: ${ADDRESS}`,
  `wrong: |\n  databaseUrl: ${ADDRESS}`,
  `dataDir: here\ndatabase: ${ADDRESS}`,
])('where a file has %j and no address, the store is not guessed', (text) => {
  for (const env of [{}, { DATABASE_URL: 'postgres://elsewhere/other' }])
    expect(() => place(`${text}\n`, env)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

test.each([
  `databaseUrl: ${ADDRESS}\nwrong: /var/lib/nightshift`,
  `database_url: ${ADDRESS}`,
  `databaseUrl: ${ADDRESS}\nproviders: { one: { baseUrl: "https://models.example" } }`,
])('where a file says where the store is, another key leaves no doubt: %j', (text) => {
  expect(place(`${text}\n`, { DATABASE_URL: 'postgres://elsewhere/other' }).databaseUrl).toBe(ADDRESS)
})

test.each([
  'wroker: { concurrency: 4 }',
  'worker: { concurency: 4 }',
  'gateway: { url: "https://{" }',
  'providers: { one: { baseUrl: 7 } }',
])('a key that leads to no store leaves no doubt: %j', (text) => {
  expect(place(`dataDir: here\n${text}\n`)).toMatchObject({ databaseUrl: undefined, dataDir: join(dir, 'here') })
})
