import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { query } from '../../../../src/store/postgres/db.ts'
import { pauseJob } from '../../../../src/store/schedules/pauses.ts'
import { buildTestApp } from '../../../support/app/test-app.ts'
import { command } from '../../../support/cli/command.ts'
import {
  edit,
  examine,
  findingSchema,
  insertLines,
  job,
  openSetup,
  troubles,
  type Finding,
  type Setup,
} from '../../../support/cli/doctor.ts'
import { openScreen } from '../../../support/cli/screen.ts'
import { freePort } from '../../../support/net/listen.ts'
import { someone } from '../../../support/actor.ts'

test('with everything in order each check is ok, in the documented order, and the exit code is 0', async () => {
  await using setup = await openSetup()
  await insertLines(setup)
  const { code, findings } = await examine(setup)
  expect(troubles(findings)).toEqual([])
  expect(code).toBe(0)
  expect(findings.map(({ check }) => check)).toEqual([
    'config', 'jobs', 'store', 'clock', 'state', 'workers', 'scheduler', 'runs', 'last hour', 'next fires', 'config', 'duties', 'reports', 'suspects', 'standing', 'queue', 'account reports', 'gateway as reports',
    ...Array.from({ length: 4 }, () => 'server counting as reports'), 'servers', 'log', 'evidence', 'api', 'reports', 'alerts', 'model openai/scripted', 'not checked',
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

const SIZED = { servers: { counting: { maxRequestBytes: 65_536 } } }
const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`

const CASES: Case[] = [
  {
    what: 'a configuration with a fault',
    harm: (setup) => edit(setup, 'gateway:', 'gateways: 1\ngateway:'),
    finding: { check: 'config', status: 'failed', message: /gateways/, cure: /docs\/configuration/ },
    code: 2,
  },
  {
    what: 'a configuration with a key under its earlier name',
    harm: (setup) => edit(setup, 'baseUrl:', 'base_url:'),
    finding: { check: 'config', status: 'warning', message: /providers\.openai\.base_url is now called baseUrl/, cure: /as they say/ },
    code: 0,
  },
  {
    what: 'a job file with a fault',
    options: {},
    harm: ({ testApp }) => writeFileSync(join(testApp.dir, 'jobs', 'bad.yaml'), 'nonsense: true\n'),
    finding: { check: 'jobs', status: 'failed', message: /bad\.yaml:1/, cure: /what is named/ },
    code: 2,
  },
  {
    what: 'a store that is away',
    harm: (setup) => edit(setup, /databaseUrl: .*/, 'databaseUrl: postgres://127.0.0.1:1/none'),
    finding: { check: 'store', status: 'failed', message: /127\.0\.0\.1:1/, cure: /databaseUrl/ },
    code: 7,
  },
  {
    what: 'a queue that is away',
    harm: (setup) => edit(setup, /databaseUrl:/, 'redisUrl: redis://127.0.0.1:1\ndatabaseUrl:'),
    finding: { check: 'queue', status: 'failed', message: /Redis does not answer/, cure: /redisUrl/ },
    code: 7,
  },
  {
    what: 'a key file that is not there',
    harm: (setup) => edit(setup, 'apiKey: canary-model-key', 'apiKeyFile: /nowhere/key'),
    finding: { check: 'provider openai', status: 'failed', message: /\/nowhere\/key/, cure: /file/ },
    code: 2,
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
    finding: { check: 'gateway as reports', status: 'failed', message: /rejected the token/, cure: /tokenFile/ },
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
    what: 'a directory of jobs that is not there',
    harm: (setup) => edit(setup, /jobsDir: .*/, 'jobsDir: nowhere'),
    finding: { check: 'jobs', status: 'failed', message: /nowhere/, cure: /./ },
    code: 2,
  },
  {
    what: 'a store that takes no writing',
    harm: async ({ testApp }) => {
      const name = new URL(testApp.database.url).pathname.slice(1)
      await query(testApp.database.db, `alter database ${name} set default_transaction_read_only = on`)
    },
    finding: { check: 'store', status: 'failed', message: /read-only/, cure: /./ },
    code: 7,
  },
  {
    what: 'a job that is paused',
    harm: async ({ testApp }) => pauseJob(testApp.app.db, 'act', someone({ reason: 'the data move', name: 'ann' })),
    finding: { check: 'paused', status: 'warning', message: /^act is paused by ann since .* UTC: the data move$/, cure: /resume act$/ },
    code: 0,
  },
  {
    what: 'a log that nobody reads any more',
    harm: async ({ testApp }) => {
      await query(testApp.app.db, "update authorize_events set time = now() - interval '40 days'")
      await query(
        testApp.app.db,
        `insert into gateway_requests (request_id_sent, account, account_id, method, host, path, status, request_bytes, sent_at)
         values (gen_random_uuid(), 'reports', 'id', 'POST', 'h', '/', 200, 1, now() - interval '2 days')`,
      )
    },
    finding: { check: 'log', status: 'failed', message: /since 20\d\d-\S+ \S+ UTC have no line: does nobody read/, cure: /audit follow/ },
  },
  {
    what: 'no key of evidence',
    options: { config: { ...SIZED, evidence: { keyFile: 'nowhere/evidence.key' } } },
    finding: { check: 'evidence', status: 'warning', message: /no key \S+nowhere\/evidence\.key/, cure: /evidence key create/ },
    code: 0,
  },
  {
    what: 'a place for what was signed last that is none',
    options: { config: { ...SIZED, evidence: { keyFile: 'reports.token', memoryFile: 'reports.token/last' } } },
    finding: { check: 'evidence', status: 'failed', message: /reports\.token is no directory/, cure: /evidence\.memoryFile/ },
  },
  {
    what: 'a webhook that nobody listens on',
    options: { config: { ...SIZED, webhooks: { pager: { url: 'http://127.0.0.1:2/hook', secret: SECRET } } } },
    finding: {
      check: 'webhook pager',
      status: 'failed',
      message: /127\.0\.0\.1:2 does not answer: .*ECONNREFUSED/,
      cure: /webhooks\.pager\.url/,
    },
  },
  {
    what: 'keys of assertions that are not there',
    options: { config: { ...SIZED, api: { pomerium: { audience: 'ns.example.com', jwksUrl: 'http://127.0.0.1:2/jwks' } } } },
    finding: { check: 'api.pomerium', status: 'failed', message: /127\.0\.0\.1:2\/jwks/, cure: /jwksUrl/ },
  },
  {
    what: 'a ceiling of a job that there is not',
    options: { config: { ...SIZED, budgets: { jobs: { atc: { tokens: 1 } } } } },
    finding: {
      check: 'jobs',
      status: 'failed',
      message: /nightshift\.yaml:\d+: budgets\.jobs\.atc names atc, which is no job; did you mean act\?/,
      cure: /what is named/,
    },
    code: 2,
  },
  {
    what: 'a token for a job that there is not',
    options: { config: { ...SIZED, api: { tokens: { caller: { sha256: 'a'.repeat(64), role: 'runner', jobs: ['atc'] } } } } },
    finding: {
      check: 'jobs',
      status: 'failed',
      message: /nightshift\.yaml:\d+: api\.tokens\.caller\.jobs\.0 names atc, which is no job; did you mean act\?/,
      cure: /what is named/,
    },
    code: 2,
  },
  {
    what: 'an address of the API that this machine does not have',
    options: {
      config: {
        ...SIZED,
        api: { listen: '192.0.2.1:8480', pomerium: undefined, tokens: { caller: { sha256: 'a'.repeat(64), role: 'runner' } } },
      },
    },
    finding: { check: 'api.listen', status: 'failed', message: /192\.0\.2\.1:8480: .*EADDRNOTAVAIL/, cure: /api\.listen/ },
    code: 2,
  },
  {
    what: 'an audience that no assertion has',
    harm: (setup) => edit(setup, 'gateway:', 'api: { pomerium: { audience: "https://ns.example.com" } }\ngateway:'),
    finding: { check: 'config', status: 'failed', message: /api\.pomerium\.audience must be a host alone/, cure: /./ },
    code: 2,
  },
  {
    what: 'a model that goes on where the first cannot, and that the provider does not list',
    options: { jobs: { act: job().replace('name: scripted', 'name: scripted, fallback: [{ provider: openai, name: another }]') } },
    finding: { check: 'model openai/another', status: 'failed', message: /does not list it/, cure: /model\.name/ },
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
  expect(first).toMatchObject({
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

test('settings of a server that no job uses are told, and are no fault', async () => {
  await using setup = await openSetup({ config: { servers: { ...SIZED.servers, countnig: { concurrency: 1 } } } })
  await insertLines(setup)
  const { code, findings } = await examine(setup)
  expect(findings.find(({ check }) => check === 'servers')).toEqual({
    check: 'servers',
    status: 'skipped',
    message: expect.stringMatching(/^no job uses .*servers\.countnig; jobs use counting$/),
  })
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

test('a proxy of the environment is told by its name, with those who do not use it', async () => {
  vi.stubEnv('HTTPS_PROXY', 'http://user:canary@127.0.0.1:9')
  onTestFinished(() => void vi.unstubAllEnvs())
  await using setup = await openSetup()
  const { findings } = await examine(setup)
  const remarks = findings.filter(({ check }) => check === 'environment')
  expect(remarks.map(({ status, message }) => `${status} ${message}`)).toEqual([
    expect.stringMatching(/^warning HTTPS_PROXY is set, and not used for gateway, providers\.openai: /),
  ])
  expect(JSON.stringify(findings)).not.toContain('canary')
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

test('a key that is not set is told before the service that wants it is asked, and again when it does not answer', async () => {
  await using setup = await openSetup()
  // Nothing listens where the way to it leads.
  edit(setup, / baseUrl: .*/, ' baseUrl: https://api.groq.com/openai/v1')
  edit(setup, /( +)apiKey: canary-model-key/, '$1apiKey: "${NO_SUCH_KEY:-}"\n$1proxy: http://127.0.0.1:1')
  const { findings } = await examine(setup)
  const unset = /nightshift\.yaml:\d+: providers\.openai\.apiKey is empty: the variable NO_SUCH_KEY is not set\.$/
  expect(findings.find(({ check }) => check === 'provider openai')).toMatchObject({
    status: 'warning',
    message: expect.stringMatching(unset),
    cure: 'Set the variable NO_SUCH_KEY.',
  })
  expect(findings.find(({ check }) => check === 'model openai/scripted')).toMatchObject({
    status: 'failed',
    message: expect.stringMatching(unset),
  })
})
