import { createHash } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { createApp } from '../../../src/app/app.ts'
import { createLiveConfig } from '../../../src/app/live/live-config.ts'
import { loadConfig, type Config } from '../../../src/config/load.ts'
import { Failure } from '../../../src/core/failure.ts'
import { openApi, secretOf, TOKEN_LINES } from '../../support/app/api.ts'
import { countingJob, WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'
import { buildTestApp } from '../../support/app/test-app.ts'
import { countingRoute, startCountingServer } from '../../support/mcp/counting-server.ts'

const fileSchema = z.looseObject({ api: z.looseObject({ tokens: z.record(z.string(), z.unknown()) }).optional() })

test('a token that is taken out of the file is let in no more, and one that is put in is', async () => {
  await using api = await openApi({ jobs: { work: WORK, strict: WORK }, scripts: { scripted: WORK_SCRIPT } })
  const { configFile } = api.testApp.world
  const other = 'nsk_0123456789abcdefghijklmnop'
  const file = fileSchema.parse(parse(readFileSync(configFile, 'utf8')))
  const status = async (secret: string) => (await fetch(`${api.url}/v1/jobs`, { headers: { authorization: `Bearer ${secret}` } })).status
  const round = () => api.testApp.app.liveConfig.watch.round()
  expect([await status(secretOf('viewer')), await status(other)]).toEqual([200, 401])
  const { viewer: _, ...tokens } = TOKEN_LINES
  file.api = { ...file.api, tokens: { ...tokens, other: { sha256: createHash('sha256').update(other).digest('hex'), role: 'viewer' } } }
  // Another file under the same name, as editors and deployers leave it.
  writeFileSync(`${configFile}.new`, JSON.stringify(file))
  renameSync(`${configFile}.new`, configFile)
  await round()
  expect([await status(secretOf('viewer')), await status(other)]).toEqual([401, 200])
  writeFileSync(configFile, '{ not: [')
  await round()
  expect([await status(secretOf('viewer')), await status(other), await status(secretOf('operator'))]).toEqual([401, 200, 200])
  const { api: _gone, ...rest } = file
  writeFileSync(configFile, JSON.stringify(rest))
  await round()
  expect([await status(other), await status(secretOf('operator'))]).toEqual([401, 401])
  expect(api.testApp.log.filter((line) => line.includes('after a restart')).at(-1)).toContain('"keys":["api"]')
})

test('what differs is told once: keys in force, keys that wait for a restart, a fault until it is mended', async () => {
  const lines: string[] = []
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) })
  const api = { listen: '127.0.0.1:0', maxQueued: 1, maxAhead: 1, sharePercent: 50, tokens: {} }
  const config: Config = { ...loadConfig({ file: 'config/nightshift.yaml', env: {} }), api }
  let now: () => Config = () => config
  const replaced: Config[] = []
  const live = createLiveConfig({
    config,
    read: () => now(),
    replace: (next) => void replaced.push(next),
    onChange: () => {},
    reloadJobs: () => live.checkNames(),
    loose: ({ budgets }) => Object.keys(budgets.jobs).map((job) => `${job} is no job`),
    log,
  })
  const look = async (next: () => Config) => {
    now = next
    lines.length = 0
    await live.watch.round()
    live.refresh()
    return lines.map((line) => z.looseObject({ level: z.number() }).parse(JSON.parse(line)))
  }
  expect(await look(() => structuredClone(config))).toEqual([])
  const budgets = { accounts: {}, jobs: { wrok: { tokens: 1 } } }
  expect(await look(() => ({ ...config, api: { ...api, maxQueued: 2 }, budgets }))).toMatchObject([
    { level: 30, keys: ['budgets.jobs.wrok', 'api.maxQueued'] },
    { level: 40, issue: 'wrok is no job' },
  ])
  const fault = () => {
    throw new Failure({ code: 'CONFIG_INVALID', message: 'Line 3 is wrong.' })
  }
  expect(await look(fault)).toMatchObject([{ level: 50, reason: expect.stringContaining('Line 3 is wrong.') }])
  expect(live.state()).toMatchObject({ fault: expect.stringContaining('Line 3'), waiting: [] })
  const worker = { ...config.worker, concurrency: 99, toolConcurrency: 7 }
  expect(await look(() => ({ ...config, worker, jobsDir: '/elsewhere' }))).toMatchObject([
    { level: 30, keys: ['budgets.jobs.wrok', 'api.maxQueued', 'worker.toolConcurrency'] },
    { level: 40, keys: ['jobsDir', 'worker.concurrency'] },
    { level: 30 },
  ])
  expect(live.state()).toMatchObject({ fault: undefined, waiting: ['jobsDir', 'worker.concurrency'] })
  const { jobsDir, worker: workers } = replaced.at(-1) ?? config
  expect({ jobsDir, workers }).toEqual({ jobsDir: config.jobsDir, workers: { ...config.worker, toolConcurrency: 7 } })
  expect(await look(() => config)).toMatchObject([{ level: 30, keys: ['worker.toolConcurrency'] }])
  expect(live.state()).toMatchObject({ waiting: [] })
})

test('an account and a job that uses it are in force together, whichever is looked at first, and a run under way goes on with what it began with', async () => {
  const goOn = Promise.withResolvers<string>()
  await using server = await startCountingServer(() => goOn.promise)
  const job = countingJob()
  await using testApp = await buildTestApp({
    jobs: { act: job },
    scripts: { scripted: 'call counting__act {"n": 1}\nsay done' },
    routes: [countingRoute(server)],
  })
  const { app, world, dir } = testApp
  await app.worker.start()
  const called = server.nextCall()
  const running = await testApp.queue('act')
  await called
  const file = z.looseObject({ accounts: z.record(z.string(), z.unknown()) }).parse(parse(readFileSync(world.configFile, 'utf8')))
  const { reports } = file.accounts
  writeFileSync(world.configFile, JSON.stringify({ ...file, accounts: { second: reports } }))
  writeFileSync(join(dir, 'jobs', 'act.yaml'), job.replace('reports', 'second'))
  expect(app.jobs.reload()).toBe(true)
  expect([...app.resources.accounts.keys()]).toEqual(['second'])
  goOn.resolve('done')
  expect(await testApp.finished(running)).toMatchObject({ status: 'succeeded', account: 'reports' })
  expect(await testApp.run('act')).toMatchObject({ status: 'succeeded', account: 'second' })
  expect(testApp.log.filter((line) => line.includes('have faults'))).toEqual([])
})

test.each(['round', 'reload'] as const)(
  'a job and what the configuration says of it are read together and once by a %s, and nothing is said to be missing',
  async (by) => {
    const log: string[] = []
    let reads = 0
    await using testApp = await buildTestApp({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
    const { world, dir } = testApp
    const config = loadConfig({ file: world.configFile, env: {} })
    await using app = await createApp({
      config,
      readConfig() {
        reads++
        return loadConfig({ file: world.configFile, env: {} })
      },
      log: pino({}, { write: (line: string) => void log.push(line) }),
      queuePrefix: `${basename(dir)}-own`,
    })
    const file: Record<string, unknown> = parse(readFileSync(world.configFile, 'utf8'))
    writeFileSync(world.configFile, JSON.stringify({ ...file, budgets: { jobs: { added: { tokens: 5 } } } }))
    writeFileSync(join(dir, 'jobs', 'added.yaml'), WORK)
    if (by === 'round') await app.liveConfig.watch.round()
    else app.jobs.reload()
    expect(app.jobs.jobs().has('added')).toBe(true)
    const said = (what: string) => log.filter((line) => line.includes(what)).length
    expect({ reads, again: said('Job files were read again.'), missing: said('names what there is not') }).toEqual({
      reads: 1,
      again: 1,
      missing: 0,
    })
    rmSync(join(dir, 'jobs', 'added.yaml'))
    app.jobs.reload()
    expect(said('names what there is not')).toBe(1)
    const [server = ''] = Object.keys(app.jobs.jobs().get('work')?.definition.tools ?? {})
    writeFileSync(world.configFile, JSON.stringify({ ...file, servers: { [server.slice(0, -1)]: {} } }))
    await app.liveConfig.watch.round()
    expect(said(`is a server that no job uses; did you mean ${server}?`)).toBe(1)
  },
)
