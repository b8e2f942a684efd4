import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Environment } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createConfigFiles, GOOD, oneFault } from '../support/app/config-files.ts'

const { dir, write, load, refused, written } = createConfigFiles()

test('the configuration that is shipped loads with nothing set, and every default is a working one', () => {
  const {
    dataDir,
    jobsDir,
    reportsDir,
    evidence,
    retention: _retention,
    ...config
  } = loadConfig({ file: 'config/nightshift.yaml', env: {} })
  expect([dataDir, jobsDir, reportsDir]).toEqual([resolve('.nightshift'), resolve('jobs'), resolve('reports')])
  const keyFile = resolve('.nightshift/evidence.key')
  expect(evidence).toEqual({ keyFile, memoryFile: `${keyFile}.last`, readableBy: 'owner' })
  expect(config).toMatchInlineSnapshot(`
    {
      "accounts": {
        "reports": {
          "perRun": false,
          "token": "",
          "tokenFile": undefined,
        },
      },
      "admin": undefined,
      "api": {
        "listen": "127.0.0.1:8480",
        "maxAhead": 10000,
        "maxQueued": 10000,
        "sharePercent": 50,
        "tokens": {},
      },
      "audit": {
        "expected": [],
        "gracePeriod": 30000,
        "paramsMaxBytes": 2048,
      },
      "budgets": {
        "accounts": {},
        "jobs": {},
      },
      "contract": {},
      "databasePasswordFile": undefined,
      "databaseUrl": undefined,
      "gateway": {
        "caFile": undefined,
        "connections": 128,
        "maxResponseBytes": 16777216,
        "routeHosts": [],
        "setupTimeout": 60000,
        "url": "https://mcp.example.com",
      },
      "log": {
        "level": "info",
      },
      "minter": undefined,
      "models": {},
      "notes": [],
      "prices": {
        "gpt-5.4-mini": {
          "cachedInput": 0.025,
          "input": 0.25,
          "output": 2,
        },
      },
      "providers": {
        "openai": {
          "answerTimeout": 600000,
          "api": "responses",
          "apiKey": "",
          "apiKeyFile": undefined,
          "background": false,
          "caFile": undefined,
          "catalogue": "openai",
          "formatWithTools": true,
          "maxResponseBytes": 67108864,
          "mcpToken": "headers",
          "metadata": true,
          "runHeader": true,
          "stream": true,
        },
      },
      "redisUrl": undefined,
      "reportsReadableBy": "owner",
      "servers": {
        "everything": {
          "maxRequestBytes": 1048576,
        },
        "labor": {
          "maxRequestBytes": 1048576,
        },
      },
      "webhooks": {},
      "worker": {
        "concurrency": 10,
        "drainTimeout": 30000,
        "lockTimeout": 60000,
        "toolConcurrency": 4,
      },
    }
  `)
})

test('what its commented lines give as a default is the default', () => {
  const shipped = readFileSync('config/nightshift.yaml', 'utf8')
  const uncommented = shipped.replaceAll(/^( *)# ((?:dataDir|jobsDir|maxResponseBytes|(?:setup|answer)Timeout|stream): )/gm, '$1$2')
  expect(uncommented.match(/^ *(dataDir|jobsDir|maxResponseBytes|(?:setup|answer)Timeout|stream):/gm)).toHaveLength(6)
  expect(load(uncommented)).toEqual(load(shipped))
})

describe('which file', () => {
  const env = { NIGHTSHIFT_CONFIG: write(GOOD.replace('mcp.', 'other.')) }

  test('the one that is given, else NIGHTSHIFT_CONFIG, else config/nightshift.yaml', () => {
    expect(loadConfig({ file: write(GOOD), env }).gateway.url).toBe('https://mcp.example.com')
    expect(loadConfig({ env }).gateway.url).toBe('https://other.example.com')
    expect(loadConfig({ env: {} })).toEqual(loadConfig({ file: 'config/nightshift.yaml', env: {} }))
  })

  test('one that is not there says how to name one', () => {
    expect(() => loadConfig({ file: '/nowhere/c.yaml', env })).toThrow(
      expect.objectContaining({
        message: 'There is no configuration file /nowhere/c.yaml.',
        cure: 'Name one with --config or NIGHTSHIFT_CONFIG, write a first one with nightshift init, or see Nightshift work without one: nightshift demo.',
      }),
    )
  })

  test('one that is a directory cannot be read', () => {
    mkdirSync(join(dir, 'directory'))
    expect(() => loadConfig({ file: join(dir, 'directory'), env })).toThrow(
      `The configuration file ${join(dir, 'directory')} cannot be read: EISDIR: illegal operation on a directory, read.`,
    )
  })
})

describe('variables', () => {
  test.each([
    ['one that is set', '${A}', { A: 'x' }, 'x'],
    ['a default', '${A:-x}', {}, 'x'],
    ['a default for an empty one', '${A:-x}', { A: '' }, 'x'],
    ['one that is set before its default', '${A:-x}', { A: 'y' }, 'y'],
    ['an empty default', '${A:-}', {}, ''],
    ['several, with text around', '"<${A}-${B:-b}>"', { A: 'a' }, '<a-b>'],
    ['a value that looks like YAML', '${A}', { A: '{ a: [b] } # c' }, '{ a: [b] } # c'],
    ['a value that looks like a variable, which is not read again', '${A}', { A: '${B}' }, '${B}'],
    ['digits, all of them', '${A}', { A: '0012345678901234567890' }, '0012345678901234567890'],
    ['a word that YAML knows', '${A}', { A: 'true' }, 'true'],
    ['what is no variable', '"$A $5 $${A} $"', {}, '$A $5 ${A} $'],
  ])('%s', (_, value, env, key) => {
    expect(
      load(
        GOOD.replace('TOKEN', () => value),
        env,
      ).accounts['reports']?.token,
    ).toBe(key)
  })

  test('numbers are read where numbers are wanted', () => {
    const text = `${GOOD}worker:\n  concurrency: \${N}\n  drainTimeout: \${D:-5s}\n`
    expect(load(text, { N: '3' }).worker).toMatchObject({ concurrency: 3, drainTimeout: 5000 })
    expect(refused(text, { N: 'three' })).toBe(
      oneFault(10, 'worker.concurrency must be a number; write digits alone, without quotes or a unit'),
    )
  })

  test('each that is not set and has no default is named, with its line', () => {
    const text = GOOD.replace('TOKEN', '${TOKEN}').replace('MODEL_KEY', '${KEY}')
    expect(refused(text, { KEY: '' })).toMatchInlineSnapshot(`
      "The configuration has 2 faults:
        c.yaml:5: uses the variable TOKEN, which is not set; set it, or write \${TOKEN:-default}
        c.yaml:8: uses the variable KEY, which is not set; set it, or write \${KEY:-default}
      Each key is described in docs/configuration.md."
    `)
  })

  test('DATABASE_URL and REDIS_URL serve where the file says nothing, or nothing after substitution', () => {
    const env = { DATABASE_URL: 'postgres://env/db', REDIS_URL: 'redis://env' }
    const urls = (text: string, from: Environment) => {
      const { databaseUrl, redisUrl } = load(text, from)
      return [databaseUrl, redisUrl]
    }
    expect(urls(GOOD, env)).toEqual(['postgres://env/db', 'redis://env'])
    expect(urls(`${GOOD}databaseUrl: \${PG:-}\nredisUrl: ""\n`, env)).toEqual(['postgres://env/db', 'redis://env'])
    expect(urls(`${GOOD}databaseUrl: postgres://file/db\nredisUrl: redis://file\n`, env)).toEqual(['postgres://file/db', 'redis://file'])
    expect(urls(GOOD, { DATABASE_URL: '', REDIS_URL: '' })).toEqual([undefined, undefined])
  })
})

test('paths are relative to the file; an empty one is none', () => {
  const text = `dataDir: data\njobsDir: /abs/jobs\n${GOOD}`
    .replace('mcp.example.com', 'mcp.example.com\n  caFile: ca.pem')
    .replace('token: TOKEN', 'tokenFile: ../secrets/t')
    .replace('apiKey: MODEL_KEY', 'apiKeyFile: ${KEY_FILE:-}')
  const { dataDir, jobsDir, gateway, accounts, providers } = load(text)
  expect({ dataDir, jobsDir, ca: gateway.caFile, token: accounts['reports']?.tokenFile, key: providers['openai']?.apiKeyFile }).toEqual({
    dataDir: join(dir, 'data'),
    jobsDir: '/abs/jobs',
    ca: join(dir, 'ca.pem'),
    token: resolve(dir, '../secrets/t'),
    key: undefined,
  })
})

test('each fault has its line, its field and its cure', () => {
  const gateway = (line: string) => GOOD.replace('https://mcp.example.com\n', `https://mcp.example.com\n  ${line}\n`)
  const url = (text: string) => GOOD.replace('https://mcp.example.com', text)
  const texts = {
    empty: '',
    'not YAML': `${GOOD}worker: { concurrency: 1\n`,
    'unknown keys': `${gateway('adress: a:1')}jobDir: x\nworker: { concurency: 1 }\n`,
    'a key twice': `${GOOD}accounts: {}\n`,
    'missing fields': 'jobsDir: jobs\n',
    'wrong types':
      'gateway: x\naccounts: []\nproviders: { openai: 1 }\nworker:\n  concurrency: many\nlog: loud\nservers: { labor: 4096 }\n',
    'no URL': url('mcp.example.com'),
    'a URL of another kind': url('ftp://mcp.example.com'),
    'a URL with a port that is none': url('https://mcp.example.com:65536'),
    'an address without a port': gateway('address: pomerium'),
    'an address with port 0': gateway('address: pomerium:0'),
    'an address with a port that is none': gateway('address: pomerium:65536'),
    'an address that is a URL': gateway('address: https://pomerium:443'),
    'a time without a unit': gateway('setupTimeout: 60'),
    'a time that no timer can wait': gateway('setupTimeout: 300d'),
    'both token and tokenFile': GOOD.replace('token: TOKEN', 'token: a\n    tokenFile: b'),
    'neither token nor tokenFile': GOOD.replace('\n    token: TOKEN', ' {}'),
    'both apiKey and apiKeyFile': GOOD.replace('apiKey: MODEL_KEY', 'apiKey: the-key-itself\n    apiKeyFile: b'),
    'a key that is a word or less': GOOD.replace('MODEL_KEY', 'sk-1234'),
    'an API that is none': GOOD.replace('apiKey: MODEL_KEY', 'api: soap'),
    'numbers out of range': `${gateway('maxResponseBytes: 1')}servers:\n  labor: { maxRequestBytes: 1 }\nworker: { concurrency: 0, toolConcurrency: 101 }\nprices:\n  m: { input: -1, cachedInput: 0, output: 0 }\n`,
    'a price with a part missing': `${GOOD}prices:\n  m: { input: 1, output: 2 }\n`,
    'a level that is none': `${GOOD}log: { level: loud }\n`,
  }
  expect(Object.fromEntries(Object.entries(texts).map(([title, text]) => [title, refused(text)]))).toMatchInlineSnapshot(`
    {
      "a URL of another kind": "The configuration has a fault:
      c.yaml:2: gateway.url must be an http or https URL, such as https://example.com
    Each key is described in docs/configuration.md.",
      "a URL with a port that is none": "The configuration has a fault:
      c.yaml:2: gateway.url must be an http or https URL, such as https://example.com
    Each key is described in docs/configuration.md.",
      "a key that is a word or less": "The configuration has a fault:
      c.yaml:8: providers.openai.apiKey has fewer than 8 characters, and cannot be told from words; give the server a longer key, or take it out where none is wanted
    Each key is described in docs/configuration.md.",
      "a key twice": "The configuration has a fault:
      c.yaml:9: accounts is there twice in the same mapping; keep one of them
    Each key is described in docs/configuration.md.",
      "a level that is none": "The configuration has a fault:
      c.yaml:9: log.level must be trace or debug or info or warn or error or silent
    Each key is described in docs/configuration.md.",
      "a price with a part missing": "The configuration has a fault:
      c.yaml:10: prices.m.cachedInput is missing; it must be a number
    Each key is described in docs/configuration.md.",
      "a time that no timer can wait": "The configuration has a fault:
      c.yaml:3: gateway.setupTimeout is too long; the most is 24d
    Each key is described in docs/configuration.md.",
      "a time without a unit": "The configuration has a fault:
      c.yaml:3: gateway.setupTimeout has no unit; write 60s for seconds, or 60m for minutes, or 60h for hours
    Each key is described in docs/configuration.md.",
      "an API that is none": "The configuration has a fault:
      c.yaml:8: providers.openai.api must be responses (OpenAI’s Responses API), chat (chat completions, which most other servers have) or anthropic (Anthropic’s Messages API)
    Each key is described in docs/configuration.md.",
      "an address that is a URL": "The configuration has a fault:
      c.yaml:3: gateway.address must be host:port, such as 127.0.0.1:8480
    Each key is described in docs/configuration.md.",
      "an address with a port that is none": "The configuration has a fault:
      c.yaml:3: gateway.address must end in a port from 1 to 65535
    Each key is described in docs/configuration.md.",
      "an address with port 0": "The configuration has a fault:
      c.yaml:3: gateway.address must end in a port from 1 to 65535
    Each key is described in docs/configuration.md.",
      "an address without a port": "The configuration has a fault:
      c.yaml:3: gateway.address must be host:port, such as 127.0.0.1:8480
    Each key is described in docs/configuration.md.",
      "both apiKey and apiKeyFile": "The configuration has a fault:
      c.yaml:7: providers.openai has both apiKey and apiKeyFile; keep one
    Each key is described in docs/configuration.md.",
      "both token and tokenFile": "The configuration has a fault:
      c.yaml:4: accounts.reports has both token and tokenFile; keep one
    Each key is described in docs/configuration.md.",
      "empty": "The configuration has a fault:
      c.yaml:1: is empty
    Each key is described in docs/configuration.md.",
      "missing fields": "The configuration has 3 faults:
      c.yaml:1: gateway is missing; it must be a mapping
      c.yaml:1: accounts is missing; it must be a mapping
      c.yaml:1: providers is missing; it must be a mapping
    Each key is described in docs/configuration.md.",
      "neither token nor tokenFile": "The configuration has a fault:
      c.yaml:4: accounts.reports has neither token nor tokenFile; write token: "\${NAME}", where NAME is an environment variable that you set, or tokenFile: PATH
    Each key is described in docs/configuration.md.",
      "no URL": "The configuration has a fault:
      c.yaml:2: gateway.url must be an http or https URL, such as https://example.com
    Each key is described in docs/configuration.md.",
      "not YAML": "The configuration has a fault:
      c.yaml:9: is not valid YAML: a { is opened and not closed; close it with } behind its last entry
    Each key is described in docs/configuration.md.",
      "numbers out of range": "The configuration has 5 faults:
      c.yaml:3: gateway.maxResponseBytes must be at least 1024
      c.yaml:11: servers.labor.maxRequestBytes must be at least 256
      c.yaml:14: prices.m.input must be at least 0
      c.yaml:12: worker.concurrency must be at least 1
      c.yaml:12: worker.toolConcurrency must be at most 100
    Each key is described in docs/configuration.md.",
      "unknown keys": "The configuration has 3 faults:
      c.yaml:3: gateway.adress is not a known key; did you mean address?
      c.yaml:11: worker.concurency is not a known key; did you mean concurrency?
      c.yaml:10: jobDir is not a known key; did you mean jobsDir?
    Each key is described in docs/configuration.md.",
      "wrong types": "The configuration has 6 faults:
      c.yaml:1: gateway must be a mapping with url, address, routeHosts, caFile, connections, proxy, maxResponseBytes, setupTimeout
      c.yaml:2: accounts must be a mapping; give each entry a name of its own, as in <name>: { … }, in the place of its dash
      c.yaml:7: servers.labor must be a mapping with maxRequestBytes, concurrency
      c.yaml:3: providers.openai must be a mapping with api, baseUrl, apiVersion, apiKey, apiKeyFile, stream, catalogue, store, …
      c.yaml:5: worker.concurrency must be a number; write digits alone, without quotes or a unit
      c.yaml:6: log must be a mapping with level
    Each key is described in docs/configuration.md.",
    }
  `)
})

test.each(['pomerium:443', '127.0.0.1:1', '[::1]:65535', 'a-b.c_d:08443'])('%s is an address', (address) => {
  expect(load(GOOD.replace('https://mcp.example.com', `https://mcp.example.com\n  address: "${address}"`)).gateway.address).toBe(address)
})

test.each([
  ['a token that is a list', 'token: [hunter2]'],
  ['a token in braces', 'token: { hunter2: 1 }'],
  ['a token that is an alias', 'token: *hunter2'],
  ['a token that is a tag', 'token: !hunter2'],
  ['a token with a quote that is not closed', 'token: "hunter2'],
  ['a token with text behind its quotes', 'token: "a" hunter2'],
  ['a token that begins with a reserved character', 'token: @hunter2'],
  ['a token that begins a list', 'token: ]hunter2'],
  ['a token with an escape that is none', 'token: "a\\qhunter2"'],
  ['a token with a colon', 'token: hunter2: x'],
  ['a token without its key', 'hunter2'],
  ['a token of a variable beside a token file', 'token: ${SECRET}\n    tokenFile: x'],
  ['a token of a variable with half a character', 'token: ${SECRET}\n    tokn: "\\ud800"'],
])('%s: its text is in no message', (_, line) => {
  const message = refused(GOOD.replace('token: TOKEN', line), { SECRET: 'hunter2' })
  expect(message).toContain('c.yaml:')
  expect(message).not.toContain('hunter2')
})

describe('keys under their earlier names', () => {
  const NEW = `databaseUrl: postgres://nightshift@db/nightshift
databasePasswordFile: pw
redisUrl: redis://queue
gateway: { url: https://mcp.example.com, caFile: ca.pem, setupTimeout: 5s }
accounts: { reports: { tokenFile: t } }
providers: { openai: { baseUrl: https://llm.example.com/v1, apiKeyFile: k, answerTimeout: 2m }, other: { apiKey: MODEL_KEY } }
webhooks: { team: { url: https://hooks.example.com, secretFile: s } }
audit: { gracePeriod: 1s, paramsMaxBytes: 0 }
evidence: { keyFile: e }
admin: { url: http://pomerium:5443, sharedSecretFile: a, caFile: b }
api: { pomerium: { audience: nightshift.example.com, jwksUrl: https://nightshift.example.com/keys } }
worker: { drainTimeout: 1s, lockTimeout: 2s }
`
  const OLD = `database_url: postgres://nightshift@db/nightshift
database_password_file: pw
redis_url: redis://queue
gateway: { url: https://mcp.example.com, ca_file: ca.pem, timeout: 5s }
accounts: { reports: { token_file: t } }
providers: { openai: { base_url: https://llm.example.com/v1, api_key_file: k, timeout: 2m }, other: { api_key: MODEL_KEY } }
webhooks: { team: { url: https://hooks.example.com, secret_file: s } }
audit: { grace: 1s, params: 0 }
evidence: { key_file: e }
admin: { url: http://pomerium:5443, shared_secret_file: a, ca_file: b }
api: { pomerium: { audience: nightshift.example.com, jwks_url: https://nightshift.example.com/keys } }
worker: { drain: 1s, lock: 2s }
`
  writeFileSync(join(dir, 'pw'), 'secret')

  test('give the same configuration, with a note for each that names its line and its new name', () => {
    const [{ notes, ...old }, { notes: none, ...now }] = [load(OLD), load(NEW)]
    expect(old).toEqual(now)
    expect(none).toEqual([])
    expect(notes).toHaveLength(19)
    const file = written.at(-2) ?? ''
    expect(notes).toContain(`${file}:4: gateway.timeout is now called setupTimeout; the earlier name is read until the next version`)
    expect(notes).toContain(`${file}:6: providers.other.api_key is now called apiKey; the earlier name is read until the next version`)
  })

  test('a fault is told under the new name', () => {
    expect(refused(`${GOOD}worker:\n  lock: sixty\n`)).toBe(
      oneFault(10, 'worker.lockTimeout is not a duration; write a number and ms, s, m, h or d, such as 30s or 10m'),
    )
  })

  test('both names at once are a fault', () => {
    expect(refused(`${GOOD}redisUrl: redis://a\nredis_url: redis://b\n`)).toBe(
      oneFault(10, 'redis_url is the earlier name of redisUrl, which is there too; take redis_url out'),
    )
  })
})

test.each([
  ['OpenAI’s own service', {}, true],
  ['OpenAI’s own service by its address', { baseUrl: 'https://api.openai.com/v1' }, true],
  ['Anthropic’s own service', { api: 'anthropic' }, true],
  ['a server of one’s own', { baseUrl: 'http://llm.internal:8000/v1' }, false],
  ['a server of one’s own that can', { baseUrl: 'http://llm.internal:8000/v1', formatWithTools: true }, true],
])('the format is asked for while tools may be called: %s, %j: %j', (_, provider, formatWithTools) => {
  const { providers } = load(GOOD.replace('apiKey: MODEL_KEY', JSON.stringify(provider)))
  expect(providers['openai']?.formatWithTools).toBe(formatWithTools)
})

test('settings that the Messages API has no field for are faults, each with its cure', () => {
  const provider = { api: 'anthropic', store: false, cacheKey: true, background: true, mcpToken: 'authorization' }
  const fault = refused(GOOD.replace('apiKey: MODEL_KEY', JSON.stringify(provider)))
  for (const key of ['store', 'cacheKey', 'background', 'mcpToken'])
    expect(fault).toMatch(new RegExp(`providers\\.openai\\.${key} is for api: responses.*Take it out`))
})
