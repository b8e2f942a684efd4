import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { remarksOn } from '../../src/config/surroundings.ts'

const PROXY = 'http://user:canary@proxy.example:3128'

test('a proxy of the environment is named as not used, whatever the case of its name, and its address is not shown', () => {
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY', 'https_proxy', 'http_proxy', 'all_proxy']) {
    const [remark, ...others] = remarksOn({ [name]: PROXY, NO_PROXY: 'localhost' })
    expect([remark?.message, others]).toEqual([expect.stringMatching(new RegExp(`^${name} is set and not used.*straight`)), []])
    expect(JSON.stringify(remark)).not.toContain('canary')
  }
  expect(remarksOn({ HTTPS_PROXY: PROXY, https_proxy: PROXY })).toMatchObject([
    { message: expect.stringMatching(/^HTTPS_PROXY, https_proxy are set/) },
  ])
})

test('certificates that are not checked are told; an environment without either has no remark', () => {
  expect(remarksOn({ NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toMatchObject([{ cure: expect.stringContaining('caFile') }])
  expect(remarksOn({ HTTPS_PROXY: '', NO_PROXY: '*', NODE_TLS_REJECT_UNAUTHORIZED: '1', PATH: '/bin' })).toEqual([])
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
