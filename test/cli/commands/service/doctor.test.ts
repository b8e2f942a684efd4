import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { query } from '../../../../src/store/postgres/db.ts'
import { command } from '../../../support/cli/command.ts'
import { countingRoute, startCountingServer, type CountingServer } from '../../../support/mcp/counting-server.ts'
import { freePort, serveHttp } from '../../../support/net/listen.ts'
import { buildTestApp, type TestApp, type TestAppOptions } from '../../../support/app/test-app.ts'
import { openScreen } from '../../../support/cli/screen.ts'
import { countingJob } from '../../../support/app/jobs.ts'

const job = (tools = 'counting: { allow: [act] }', more = '') => countingJob({ tools, more })

const findingSchema = z.strictObject({
  check: z.string(),
  status: z.enum(['ok', 'warning', 'failed', 'skipped']),
  message: z.string(),
  cure: z.string().optional(),
})
type Finding = z.output<typeof findingSchema>

interface Provider extends AsyncDisposable {
  url: string
}

/** A provider that lists one model. */
async function startProvider(model: string): Promise<Provider> {
  const server = await serveHttp((req, res) => {
    const isList = req.url === '/v1/models'
    const body = isList ? { object: 'list', data: [{ id: model, object: 'model', created: 0, owned_by: 'test' }] } : {}
    res.writeHead(isList ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  return { url: `${server.url}/v1`, [Symbol.asyncDispose]: server.close }
}

interface Setup extends AsyncDisposable {
  testApp: TestApp
  server: CountingServer
}

/** A Nightshift that has nothing to complain of but what `options` puts into it. */
async function openSetup(
  options: Partial<TestAppOptions> & { model?: string; policy?: Record<string, unknown>; route?: Record<string, unknown> } = {},
): Promise<Setup> {
  await using building = new AsyncDisposableStack()
  const server = building.use(await startCountingServer())
  const provider = building.use(await startProvider(options.model ?? 'scripted'))
  const policy = options.policy ?? { allowUsers: ['svc-reports'], denyTool: 'nightshift_doctor_probe' }
  const testApp = building.use(
    await buildTestApp({
      jobs: { act: job() },
      ...options,
      routes: [countingRoute(server, { policy, maxRequestBytes: 65_536, ...options.route })],
      config: {
        servers: { counting: { maxRequestBytes: 65_536 } },
        providers: { openai: { baseUrl: provider.url, apiKey: 'canary-model-key' } },
        ...options.config,
      },
    }),
  )
  const stack = building.move()
  return { testApp, server, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** Lines of Pomerium's log as the audit keeps them. */
async function insertLines({ testApp }: Setup, { method = 'tools/call', params = 'sha256:x', run = 'run_1' } = {}): Promise<void> {
  await query(
    testApp.app.db,
    `insert into authorize_events (line_digest, occurrence, request_id, time, method, host, path, ip, user_id, allowed, reasons, mcp_method, params_digest, run_header)
     values ('d', 1, 'r', now(), 'POST', 'h', '/', 'i', 'u', true, '{}', nullif($1, ''), nullif($2, ''), nullif($3, ''))`,
    [method, params, run],
  )
}

async function examine({ testApp }: Setup, ...args: string[]): Promise<{ code: number | null; findings: Finding[] }> {
  const { code, out, err } = await command(['-c', testApp.world.configFile, 'doctor', '--json', ...args])
  expect(err).toBe('')
  for (const secret of [testApp.world.account.jwt, 'canary-model-key', new URL(testApp.database.url).password || 'no password'])
    expect(out).not.toContain(secret)
  return { code, findings: z.array(findingSchema).parse(JSON.parse(out)) }
}

const troubles = (findings: readonly Finding[]) => findings.filter(({ status }) => status === 'failed' || status === 'warning')

/** Text in the configuration file is replaced. */
function edit({ testApp: { world } }: Setup, from: string | RegExp, to: string): void {
  const before = readFileSync(world.configFile, 'utf8')
  const after = before.replace(from, to)
  expect(after).not.toBe(before)
  writeFileSync(world.configFile, after)
}

test('with everything in order each check is ok, in the documented order, and the exit code is 0', async () => {
  await using setup = await openSetup()
  await insertLines(setup)
  const { code, findings } = await examine(setup)
  expect(troubles(findings)).toEqual([])
  expect(code).toBe(0)
  expect(findings.map(({ check }) => check)).toEqual([
    'config', 'jobs', 'store', 'clock', 'queue', 'account reports', 'gateway as reports',
    ...Array.from({ length: 4 }, () => 'server counting as reports'), 'log', 'model openai/scripted',
  ]) // prettier-ignore
  // It looked, and it called nothing.
  expect(setup.server.methods).toContain('tools/list')
  expect(setup.server.methods).not.toContain('tools/call')
})

test('for people: a line for each check, its cure below, and how many there were', async () => {
  await using setup = await openSetup()
  rmSync(setup.testApp.world.tokenFile)
  const screen = openScreen(['-c', setup.testApp.world.configFile, 'doctor'], { columns: 80 })
  expect(await screen.ended).toBe(1)
  const lines = screen.out().split('\n')
  expect(lines[0]).toBe('✓ config: is valid')
  const at = lines.findIndex((line) => line.startsWith('✗ account reports: '))
  expect(lines[at]).toMatch(/^✗ account reports: The token file/)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(lines[at + 1]).toMatch(/^ {4}\S/)
  expect(lines).toContain('- gateway as reports: not asked: the account has no usable token')
  expect(lines.at(-1)).toMatch(/^\d+ ok, \d+ to look at, 1 failed, \d+ not checked\.$/)
})

interface Case {
  what: string
  options?: Parameters<typeof openSetup>[0]
  harm?: (setup: Setup) => void | Promise<void>
  finding: { check: string; status: Finding['status']; message: RegExp; cure: RegExp }
  code?: number
}

const DAY_MS = 86_400_000
const expiring = async ({ testApp }: Setup, ms: number) => {
  const { jwt } = await testApp.world.gateway.accounts.create({ userId: 'svc-reports', expiresAt: new Date(Date.now() + ms) })
  writeFileSync(testApp.world.tokenFile, jwt)
}

const CASES: Case[] = [
  {
    what: 'a configuration with a fault',
    harm: (setup) => edit(setup, 'gateway:', 'gateways: 1\ngateway:'),
    finding: { check: 'config', status: 'failed', message: /gateways/, cure: /file/ },
  },
  {
    what: 'a configuration with a key under its earlier name',
    harm: (setup) => edit(setup, 'baseUrl:', 'base_url:'),
    finding: { check: 'config', status: 'warning', message: /providers\.openai\.base_url is now called baseUrl/, cure: /new names/ },
    code: 0,
  },
  {
    what: 'a job file with a fault',
    options: {},
    harm: ({ testApp }) => writeFileSync(join(testApp.dir, 'jobs', 'bad.yaml'), 'nonsense: true\n'),
    finding: { check: 'jobs', status: 'failed', message: /bad\.yaml:1/, cure: /lines named/ },
  },
  {
    what: 'a store that is away',
    harm: (setup) => edit(setup, /databaseUrl: .*/, 'databaseUrl: postgres://127.0.0.1:1/none'),
    finding: { check: 'store', status: 'failed', message: /127\.0\.0\.1:1/, cure: /databaseUrl/ },
  },
  {
    what: 'a queue that is away',
    harm: (setup) => edit(setup, /databaseUrl:/, 'redisUrl: redis://127.0.0.1:1\ndatabaseUrl:'),
    finding: { check: 'queue', status: 'failed', message: /Redis does not answer/, cure: /redisUrl/ },
  },
  {
    what: 'a key file that is not there',
    harm: (setup) => edit(setup, 'apiKey: canary-model-key', 'apiKeyFile: /nowhere/key'),
    finding: { check: 'config', status: 'failed', message: /\/nowhere\/key/, cure: /./ },
  },
  {
    what: 'no token',
    harm: ({ testApp }) => writeFileSync(testApp.world.tokenFile, ''),
    finding: { check: 'account reports', status: 'failed', message: /is empty/, cure: /JWT/ },
  },
  {
    what: 'a token that has expired',
    harm: (setup) => expiring(setup, -DAY_MS),
    finding: { check: 'account reports', status: 'failed', message: /expired at/, cure: /^nightshift account rotate reports$/ },
  },
  {
    what: 'a token that expires soon',
    harm: (setup) => expiring(setup, 5.02 * DAY_MS),
    finding: { check: 'account reports', status: 'warning', message: /expires in 5\.0 days/, cure: /^nightshift account rotate reports$/ },
    code: 0,
  },
  {
    what: 'a token that Pomerium does not accept',
    harm: ({ testApp }) => testApp.world.gateway.accounts.delete(testApp.world.account.id),
    finding: { check: 'gateway as reports', status: 'failed', message: /rejected the token/, cure: /token file/ },
  },
  {
    what: 'a gateway that is down',
    harm: async (setup) => edit(setup, /address: .*/, `address: 127.0.0.1:${await freePort()}`),
    finding: { check: 'gateway as reports', status: 'failed', message: /ECONNREFUSED/, cure: /gateway\.address/ },
  },
  {
    what: 'a certificate that is not trusted',
    harm: (setup) => edit(setup, /\n *caFile: .*/, ''),
    finding: { check: 'gateway as reports', status: 'failed', message: /certificate .*is not trusted/, cure: /gateway\.caFile/ },
  },
  {
    what: 'a minter that is not there',
    options: {
      config: {
        accounts: { reports: { tokenFile: 'reports.token', perRun: true } },
        minter: { socket: 'minter.sock' },
        servers: { counting: { maxRequestBytes: 65_536 } },
      },
    },
    finding: { check: 'minter', status: 'failed', message: /minter\.sock cannot be reached: .*ENOENT/, cure: /Start nightshift minter/ },
  },
  {
    what: 'a tool that the server lacks',
    options: { jobs: { act: job('counting: { allow: [act, other] }') } },
    finding: { check: 'server counting as reports', status: 'failed', message: /lacks other/, cure: /jobs or the server/ },
  },
  {
    what: 'a route that is missing',
    options: { jobs: { act: job('nowhere: { allow: [act] }') } },
    finding: {
      check: 'server nowhere as reports',
      status: 'failed',
      message: /no route nowhere; jobs act need it/,
      cure: /pomerium\.yaml/,
    },
  },
  {
    what: 'a route that policy denies',
    options: { policy: { allowUsers: ['svc-other'] } },
    finding: { check: 'server counting as reports', status: 'failed', message: /[Pp]olicy/, cure: /pomerium\.yaml/ },
  },
  {
    what: 'a policy that lets any tool through',
    options: { policy: { allowUsers: ['svc-reports'] } },
    finding: {
      check: 'server counting as reports',
      status: 'warning',
      message: /Policy lets the account call a tool that no job names/,
      cure: /Deny tools/,
    },
    code: 0,
  },
  {
    what: 'a gateway that does not mark what servers say',
    options: { route: { withoutMarks: true } },
    finding: {
      check: 'server counting as reports',
      status: 'warning',
      message: /without x-envoy-upstream-service-time.*may have run \(OUTCOME_UNKNOWN\)/,
      cure: /suppress_envoy_headers/,
    },
    code: 0,
  },
  {
    what: 'no line of Pomerium’s log',
    harm: async ({ testApp }) => void (await query(testApp.app.db, 'delete from authorize_events')),
    finding: { check: 'log', status: 'warning', message: /No line/, cure: /audit follow/ },
    code: 0,
  },
  {
    what: 'a model that the provider does not list',
    options: { model: 'another' },
    finding: { check: 'model openai/scripted', status: 'failed', message: /does not list it/, cure: /model\.name/ },
  },
]

test.for(CASES)('finds $what, and says what to do', async ({ options = {}, harm, finding, code = 1 }) => {
  await using setup = await openSetup(options)
  await insertLines(setup)
  await harm?.(setup)
  const examined = await examine(setup)
  const [first, ...others] = troubles(examined.findings)
  expect(first).toEqual({
    check: finding.check,
    status: finding.status,
    message: expect.stringMatching(finding.message),
    cure: expect.stringMatching(finding.cure),
  })
  expect(others).toEqual([])
  expect(examined.code).toBe(code)
})

test.for([
  ['methods and tools', { method: '' }, 'mcp-method, mcp-tool'],
  ['parameters', { params: '' }, 'mcp-tool-parameters'],
  ['our run id', { run: '' }, 'headers.X-Nightshift-Run-Id'],
] as const)('finds log lines without %s', async ([, lines, missing]) => {
  await using setup = await openSetup()
  await insertLines(setup, lines)
  const { code, findings } = await examine(setup)
  expect(troubles(findings)).toEqual([
    {
      check: 'log',
      status: 'warning',
      message: `The latest lines lack ${missing}.`,
      cure: expect.stringContaining('authorize_log_fields'),
    },
  ])
  expect(code).toBe(0)
})

test('a server of which the configuration says no size is limited to what Pomerium looks at', async () => {
  await using setup = await openSetup({ config: { servers: {} } })
  await insertLines(setup)
  const { findings } = await examine(setup)
  expect(troubles(findings)).toEqual([
    {
      check: 'server counting as reports',
      status: 'warning',
      message: expect.stringContaining('4096 bytes'),
      cure: expect.stringContaining('servers.counting.maxRequestBytes'),
    },
  ])
})

describe.skipIf(spawnSync('redis-server', ['--version']).status !== 0)('Redis', () => {
  test('a Redis that may evict entries, or loses them at a restart, is found', async () => {
    const port = await freePort()
    const redis = spawn(
      'redis-server',
      [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--appendonly',
        'no',
        '--maxmemory-policy',
        'allkeys-lru',
        '--maxmemory',
        '64mb',
      ],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    try {
      for await (const chunk of redis.stdout) if (String(chunk).includes('Ready to accept connections')) break
      await using setup = await openSetup()
      await insertLines(setup)
      edit(setup, /databaseUrl:/, `redisUrl: redis://127.0.0.1:${port}\ndatabaseUrl:`)
      const { code, findings } = await examine(setup)
      expect(troubles(findings)).toEqual([
        { check: 'eviction', status: 'failed', message: expect.stringContaining('allkeys-lru'), cure: 'Set it to noeviction.' },
        {
          check: 'persistence',
          status: 'warning',
          message: expect.stringContaining('appendonly is no'),
          cure: expect.stringContaining('appendonly yes'),
        },
      ])
      expect(code).toBe(1)
    } finally {
      redis.kill('SIGTERM')
      if (redis.exitCode === null) await once(redis, 'exit')
    }
  })
})

test('with --spend a model is asked a word', async () => {
  await using testApp = await buildTestApp({ jobs: { act: job('labor: { allow: [query] }') }, scripts: { scripted: 'say ok' } })
  const modelOf = async (...args: string[]) => {
    const { out } = await command(['-c', testApp.world.configFile, 'doctor', '--json', ...args])
    return z
      .array(findingSchema)
      .parse(JSON.parse(out))
      .find(({ check }) => check === 'model openai/scripted')
  }
  expect(await modelOf()).toMatchObject({ status: 'skipped', message: expect.stringContaining('--spend') })
  expect(await modelOf('--spend')).toMatchObject({ status: 'ok', message: expect.stringMatching(/^it answers; \d+ tokens$/) })
})
