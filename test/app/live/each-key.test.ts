import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { keysOf } from '../../../scripts/reference.ts'
import { configSchema } from '../../../src/config/schema.ts'
import { takesOf } from '../../../src/config/takes.ts'
import { WORK, WORK_SCRIPT } from '../../support/app/jobs.ts'
import { buildTestApp } from '../../support/app/test-app.ts'

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
const SHA = (digit: string) => digit.repeat(64)
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJvdGhlciIsInN1YiI6InN2YyJ9.c2ln'

/** Every key that has no keys below it: what it is changed to, and where its example stands. A key that is added has to have a row here. */
const CHANGES: Record<string, [value: unknown, example?: string]> = {
  databaseUrl: ['postgres://other@127.0.0.1:1/other'],
  databasePasswordFile: ['password.txt'],
  redisUrl: ['redis://127.0.0.1:1'],
  dataDir: ['elsewhere'],
  jobsDir: ['other-jobs'],
  'gateway.url': ['https://everything.localhost.pomerium.io'],
  'gateway.address': ['127.0.0.1:2'],
  'gateway.routeHosts': [['mcp.example.org']],
  'gateway.caFile': ['other-ca.pem'],
  'gateway.connections': [7],
  'gateway.proxy': ['http://127.0.0.1:3'],
  'gateway.maxResponseBytes': [4096],
  'gateway.setupTimeout': ['7s'],
  'accounts.<name>.token': [JWT, 'accounts.literal.token'],
  'accounts.<name>.tokenFile': ['other.token', 'accounts.reports.tokenFile'],
  'accounts.<name>.concurrency': [7, 'accounts.reports.concurrency'],
  'accounts.<name>.perRun': [true, 'accounts.reports.perRun'],
  'servers.<name>.maxRequestBytes': [512, 'servers.labor.maxRequestBytes'],
  'servers.<name>.concurrency': [7, 'servers.labor.concurrency'],
  'providers.<name>.api': ['chat', 'providers.openai.api'],
  'providers.<name>.baseUrl': ['http://127.0.0.1:4/v1', 'providers.openai.baseUrl'],
  'providers.<name>.apiVersion': ['preview', 'providers.openai.apiVersion'],
  'providers.<name>.apiKey': ['another-key', 'providers.openai.apiKey'],
  'providers.<name>.apiKeyFile': ['key.txt', 'providers.filed.apiKeyFile'],
  'providers.<name>.stream': [false, 'providers.openai.stream'],
  'providers.<name>.catalogue': ['mistral', 'providers.openai.catalogue'],
  'providers.<name>.store': [true, 'providers.openai.store'],
  'providers.<name>.metadata': [true, 'providers.openai.metadata'],
  'providers.<name>.cacheKey': [true, 'providers.openai.cacheKey'],
  'providers.<name>.background': [true, 'providers.openai.background'],
  'providers.<name>.mcpToken': ['authorization', 'providers.openai.mcpToken'],
  'providers.<name>.runHeader': [false, 'providers.openai.runHeader'],
  'providers.<name>.answerTimeout': ['7s', 'providers.openai.answerTimeout'],
  'providers.<name>.maxResponseBytes': [65_537, 'providers.openai.maxResponseBytes'],
  'providers.<name>.proxy': ['http://127.0.0.1:3', 'providers.openai.proxy'],
  'providers.<name>.caFile': ['other-ca.pem', 'providers.openai.caFile'],
  'providers.<name>.formatWithTools': [true, 'providers.openai.formatWithTools'],
  ...Object.fromEntries(
    ['input', 'cachedInput', 'cacheWrite', 'output'].flatMap((rate): [string, [number, string]][] => [
      [`prices.<name>.${rate}`, [7, `prices.scripted.${rate}`]],
      [`prices.<name>.tiers.<name>.${rate}`, [7, `prices.scripted.tiers.flex.${rate}`]],
    ]),
  ),
  'models.<name>.windowTokens': [4096, 'models.scripted.windowTokens'],
  'models.<name>.maxOutputTokens': [64, 'models.scripted.maxOutputTokens'],
  'models.<name>.readsImages': [true, 'models.scripted.readsImages'],
  'budgets.accounts.<name>.tokens': [7, 'budgets.accounts.reports.tokens'],
  'budgets.accounts.<name>.costUsd': [7, 'budgets.accounts.reports.costUsd'],
  'budgets.jobs.<name>.tokens': [7, 'budgets.jobs.work.tokens'],
  'budgets.jobs.<name>.costUsd': [7, 'budgets.jobs.work.costUsd'],
  'contract.text': ['Write in Danish.'],
  reportsDir: ['other-reports'],
  reportsReadableBy: ['group'],
  'webhooks.<name>.url': ['http://127.0.0.1:5', 'webhooks.team.url'],
  'webhooks.<name>.secret': [`whsec_${Buffer.alloc(32, 2).toString('base64')}`, 'webhooks.team.secret'],
  'webhooks.<name>.secretFile': ['other-secret.txt', 'webhooks.filed.secretFile'],
  'webhooks.<name>.proxy': ['http://127.0.0.1:3', 'webhooks.team.proxy'],
  'webhooks.<name>.caFile': ['other-ca.pem', 'webhooks.team.caFile'],
  ...Object.fromEntries(
    ['content', 'metadata'].flatMap((what) =>
      ['succeeded', 'incomplete', 'failed', 'cancelled'].map((status): [string, [string]] => [`retention.${what}.${status}`, ['70d']]),
    ),
  ),
  'retention.log': ['70d'],
  'retention.fires': ['70d'],
  'audit.gracePeriod': ['7s'],
  'audit.paramsMaxBytes': [7],
  ...Object.fromEntries(
    ['host', 'path', 'ip', 'tool'].map((key): [string, [unknown, string]] => [
      `audit.expected[].${key}`,
      [[{ account: 'reports', [key]: 'other' }], 'audit.expected'],
    ]),
  ),
  'audit.expected[].account': [[{ account: 'literal', host: 'x' }], 'audit.expected'],
  'alerts.webhook': ['filed'],
  'alerts.checkpoints': [true],
  'evidence.keyFile': ['other.key'],
  'evidence.memoryFile': ['other.last'],
  'evidence.readableBy': ['group'],
  'admin.url': ['https://127.0.0.1:6'],
  'admin.sharedSecretFile': ['other-secret.txt'],
  'admin.caFile': ['other-ca.pem'],
  'minter.socket': ['other.sock'],
  'api.listen': ['127.0.0.1:7'],
  'api.maxQueued': [7],
  'api.maxAhead': [7],
  'api.sharePercent': [7],
  'api.metricTags': [['team']],
  'api.tokens.<name>.sha256': [SHA('7'), 'api.tokens.one.sha256'],
  'api.tokens.<name>.role': ['operator', 'api.tokens.one.role'],
  'api.tokens.<name>.expires': ['2999-12-31', 'api.tokens.one.expires'],
  'api.tokens.<name>.jobs': [['work'], 'api.tokens.one.jobs'],
  'api.pomerium.audience': ['other.example.org'],
  'api.pomerium.jwksUrl': ['https://example.org/other.json'],
  ...Object.fromEntries(
    ['users', 'groups'].flatMap((who): [string, [unknown, string]][] => [
      [`api.pomerium.${who}.<name>.role`, ['operator', `api.pomerium.${who}.ann.role`]],
      [`api.pomerium.${who}.<name>.jobs`, [['work'], `api.pomerium.${who}.ann.jobs`]],
    ]),
  ),
  'worker.concurrency': [7],
  'worker.toolConcurrency': [7],
  'worker.drainTimeout': ['7s'],
  'worker.lockTimeout': ['7s'],
  'log.level': ['info'],
}

const price = { input: 1, cachedInput: 1, cacheWrite: 1, output: 1 }
const provider = { api: 'responses', baseUrl: 'http://127.0.0.1:9/v1' }
const EXAMPLE = {
  accounts: { reports: { tokenFile: './reports.token' }, literal: { token: JWT.replace('c2ln', 'b25l') } },
  providers: { openai: { ...provider, apiKey: 'a-key-of-eight' }, filed: { ...provider, apiKeyFile: './first.txt' } },
  prices: { scripted: { ...price, tiers: { flex: price } } },
  models: { scripted: { windowTokens: 8192, maxOutputTokens: 128 } },
  budgets: { accounts: { reports: { tokens: 1, costUsd: 1 } }, jobs: { work: { tokens: 1, costUsd: 1 } } },
  webhooks: { team: { url: 'http://127.0.0.1:9', secret: SECRET }, filed: { url: 'http://127.0.0.1:9', secretFile: './secret.txt' } },
  audit: { expected: [{ account: 'reports', host: 'x' }] },
  alerts: { webhook: 'team' },
  admin: { url: 'https://127.0.0.1:9', sharedSecretFile: './secret.txt' },
  minter: { socket: './minter.sock' },
  api: {
    listen: '127.0.0.1:0',
    tokens: { one: { sha256: SHA('1'), role: 'viewer' } },
    pomerium: { audience: 'api.example.org', users: { ann: { role: 'viewer' } }, groups: { ann: { role: 'viewer' } } },
  },
}

const lineSchema = z.looseObject({ msg: z.string(), keys: z.array(z.string()).default([]) })
const isMapping = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The same with another value at the end of a path. */
function withValue(file: unknown, [key = '', ...rest]: string[], value: unknown): Record<string, unknown> {
  const section = isMapping(file) ? file : {}
  return { ...section, [key]: rest.length === 0 ? value : withValue(section[key], rest, value) }
}

test('each key of the configuration, changed under a running Nightshift: what came of it', async () => {
  await using testApp = await buildTestApp({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT }, files: FILES, config: EXAMPLE })
  const { app, dir, log, world } = testApp
  copyFileSync(join(dir, 'gateway-ca.pem'), join(dir, 'other-ca.pem'))
  const file: unknown = parse(readFileSync(world.configFile, 'utf8'))
  const put = async (config: unknown) => {
    writeFileSync(world.configFile, JSON.stringify(config))
    log.length = 0
    await app.liveConfig.watch.round()
    return log.map((line) => lineSchema.parse(JSON.parse(line)))
  }
  const rows: [key: string, cameOf: string][] = []
  for (const [key, [value, example = key]] of Object.entries(CHANGES)) {
    const lines = await put(withValue(file, example.split('.'), value))
    expect(
      lines.filter(({ msg }) => msg.includes('fault')),
      key,
    ).toEqual([])
    const named = (words: string) =>
      lines.some(({ msg, keys }) => msg.includes(words) && keys.some((one) => one.startsWith(example) || example.startsWith(one)))
    rows.push([
      key,
      named('after a restart') ? 'the log names it: after a restart' : named('these keys are in force') ? 'in force at once' : 'nothing',
    ])
  }
  await put(file)
  expect(app.liveConfig.state()).toMatchObject({ waiting: [], fault: undefined })
  const keys = keysOf(configSchema).map(({ key }) => key)
  const leaves = keys.filter((key) => !keys.some((one) => one.startsWith(`${key}.`) || one.startsWith(`${key}[]`)))
  expect(rows.map(([key]) => key).toSorted()).toEqual(leaves.toSorted())
  const expected = {
    'at once': 'in force at once',
    'by commands': 'in force at once',
    'after a restart': 'the log names it: after a restart',
  }
  for (const [key, cameOf] of rows) expect([key, cameOf]).toEqual([key, expected[takesOf(key) || 'at once']])
  const order = new Map(leaves.map((key, at) => [key, at]))
  const sorted = rows.toSorted(([one], [other]) => (order.get(one) ?? 0) - (order.get(other) ?? 0))
  const table = ['| key, changed | what came of it |', '|---|---|', ...sorted.map(([key, cameOf]) => `| \`${key}\` | ${cameOf} |`)]
  await expect(`${table.join('\n')}\n`).toMatchFileSnapshot('each-key.txt')
})

const FILES = {
  'password.txt': 'a-password\n',
  'first.txt': 'a-first-key\n',
  'key.txt': 'a-second-key\n',
  'secret.txt': `${SECRET}\n`,
  'other-secret.txt': `${SECRET}\n`,
  'other.token': `${JWT}\n`,
}
