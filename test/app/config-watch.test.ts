import { createHash } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { createConfigWatch } from '../../src/app/config-watch.ts'
import { loadConfig, type Config } from '../../src/config/load.ts'
import { Failure } from '../../src/core/failure.ts'
import { openApi, secretOf, TOKEN_LINES } from '../support/app/api.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const fileSchema = z.looseObject({ api: z.looseObject({ tokens: z.record(z.string(), z.unknown()) }) })

test('a token that is taken out of the file is let in no more, and one that is put in is', async () => {
  await using api = await openApi({ jobs: { work: WORK, strict: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const { configFile } = api.testApp.world
  const other = 'nsk_0123456789abcdefghijklmnop'
  const file = fileSchema.parse(parse(readFileSync(configFile, 'utf8')))
  const status = async (secret: string) => (await fetch(`${api.url}/v1/jobs`, { headers: { authorization: `Bearer ${secret}` } })).status
  expect([await status(secretOf('viewer')), await status(other)]).toEqual([200, 401])
  const { viewer: _, ...tokens } = TOKEN_LINES
  file.api.tokens = { ...tokens, other: { sha256: createHash('sha256').update(other).digest('hex'), role: 'viewer' } }
  // Another file under the same name, as editors and deployers leave it.
  writeFileSync(`${configFile}.new`, JSON.stringify(file))
  renameSync(`${configFile}.new`, configFile)
  await api.testApp.app.configWatch.round()
  expect([await status(secretOf('viewer')), await status(other)]).toEqual([401, 200])
  writeFileSync(configFile, '{ not: [')
  await api.testApp.app.configWatch.round()
  expect([await status(secretOf('viewer')), await status(other), await status(secretOf('operator'))]).toEqual([401, 200, 200])
})

test('what differs is told once: callers at once in force, other keys by name after a restart, a fault until it is mended', async () => {
  const lines: string[] = []
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) })
  const config: Config = {
    ...loadConfig({ file: 'config/nightshift.yaml', env: {} }),
    api: { listen: '127.0.0.1:0', maxQueued: 1, tokens: {} },
  }
  let now: () => Config = () => config
  const told: unknown[] = []
  const watch = createConfigWatch({
    config,
    read: () => now(),
    jobs: () => ['work'],
    onCallers: ({ tokens }) => told.push(Object.keys(tokens)),
    log,
  })
  const look = async (next: () => Config) => {
    now = next
    lines.length = 0
    await watch.round()
    await watch.round()
    return lines.map((line) => z.looseObject({ level: z.number() }).parse(JSON.parse(line)))
  }
  expect(await look(() => structuredClone(config))).toEqual([])
  const tokens = { one: { sha256: '0'.repeat(64), role: 'runner' as const, jobs: ['wrok'] } }
  expect(await look(() => ({ ...config, api: { listen: '127.0.0.1:0', maxQueued: 1, tokens } }))).toMatchObject([
    { level: 30, tokens: ['one'] },
    { level: 40, issue: 'configuration:1: api.tokens.one.jobs names wrok, which is no job; did you mean work?' },
  ])
  expect(told).toEqual([['one']])
  const fault = () => {
    throw new Failure({ code: 'CONFIG_INVALID', message: 'Line 3 is wrong.' })
  }
  expect(await look(fault)).toMatchObject([{ level: 50, reason: expect.stringContaining('Line 3 is wrong.') }])
  const worker = { ...config.worker, concurrency: 99 }
  expect(
    await look(() => ({ ...config, worker, jobsDir: '/elsewhere', api: { listen: '127.0.0.1:0', maxQueued: 2, tokens } })),
  ).toMatchObject([{ level: 40, keys: ['jobsDir', 'worker.concurrency', 'api.maxQueued'] }, { level: 40 }])
  expect(told).toEqual([['one']])
  expect(await look(() => config)).toMatchObject([{ level: 30, tokens: [] }])
  expect(told).toEqual([['one'], []])
})
