import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { resolveProxies } from '../../src/config/proxies.ts'
import { configSchema } from '../../src/config/schema.ts'
import { proxyingOf } from '../../src/lib/net/way/proxy.ts'
import { remarksOn } from '../../src/config/surroundings.ts'

const CONFIG = configSchema.parse({
  gateway: { url: 'https://mcp.example.com' },
  accounts: { reports: { token: 'x' } },
  providers: { openai: { apiKey: 'the-model-key' } },
  webhooks: { team: { url: 'https://hooks.example.com', secretFile: 's' } },
})
/** The same, where all go as the environment says. */
const AS_SAID = { ...CONFIG, ...resolveProxies(everyProxied(), {}) }

function everyProxied() {
  const proxy = proxyingOf({})
  const { gateway, providers, webhooks } = CONFIG
  const each = <Part extends object>(parts: Record<string, Part>) =>
    Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, { ...part, proxy }]))
  return { gateway: { ...gateway, proxy }, providers: each(providers), webhooks: each(webhooks) }
}

const PROXY = 'http://user:canary@proxy.example:3128'

test('a proxy of the environment is named with those who do not use it, whatever the case of its name, and its address is not shown', () => {
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'https_proxy', 'http_proxy', 'all_proxy']) {
    const [remark, ...others] = remarksOn({ [name]: PROXY, NO_PROXY: 'localhost' }, CONFIG)
    expect([remark?.message, others]).toEqual([
      expect.stringMatching(new RegExp(`^${name} is set, and not used for gateway, providers\\.openai, webhooks\\.team: .*straight`)),
      [],
    ])
    expect(JSON.stringify(remark)).not.toContain('canary')
  }
  expect(remarksOn({ HTTPS_PROXY: PROXY, https_proxy: PROXY }, CONFIG)).toMatchObject([
    { message: expect.stringMatching(/^HTTPS_PROXY, https_proxy are set/) },
  ])
  expect(remarksOn({ HTTPS_PROXY: PROXY }, AS_SAID)).toEqual([])
})

test('certificates that are not checked are told; an environment without either has no remark', () => {
  expect(remarksOn({ NODE_TLS_REJECT_UNAUTHORIZED: '0' }, CONFIG)).toMatchObject([{ cure: expect.stringContaining('caFile') }])
  expect(remarksOn({ HTTPS_PROXY: '', NO_PROXY: '*', NODE_TLS_REJECT_UNAUTHORIZED: '1', PATH: '/bin' }, CONFIG)).toEqual([])
})

test('each request of ours names its way: undici’s own would follow what the environment sets for Node (NODE_USE_ENV_PROXY)', () => {
  const src = join(import.meta.dirname, '../../src')
  const files = globSync('**/*.{ts,js}', { cwd: src, exclude: ['demo/**'] }).map(
    (file) => [file, readFileSync(join(src, file), 'utf8')] as const,
  )
  const asking = files.filter(([, text]) => /import \{[^}]*\b(fetch|request)\b[^}]*\} from 'undici'/.test(text))
  expect(asking.length).toBeGreaterThan(2)
  expect(asking.filter(([, text]) => !text.includes('dispatcher')).map(([file]) => file)).toEqual([])
  expect(files.filter(([, text]) => /globalThis\.fetch\(|setGlobalDispatcher/.test(text)).map(([file]) => file)).toEqual([])
})
