import { describe, expect, test } from 'vitest'
import {
  describeWay,
  isProxyAddress,
  proxyAt,
  proxyAuthorization,
  proxyFor,
  proxyingOf,
  secretsOf,
  showProxy,
} from '../../../../src/lib/net/way/proxy.ts'

const PROXY = 'http://proxy.example:3128'

/** The proxy by which a URL is asked for. */
const wayOf = (url: string, env: Record<string, string>) => proxyFor(new URL(url), proxyingOf(env))?.host

describe('what the environment says of proxies', () => {
  test.each<[Record<string, string>, http: string | undefined, https: string | undefined]>([
    [{}, undefined, undefined],
    [{ HTTPS_PROXY: PROXY }, undefined, 'proxy.example:3128'],
    [{ HTTP_PROXY: PROXY }, 'proxy.example:3128', undefined],
    [{ ALL_PROXY: PROXY }, 'proxy.example:3128', 'proxy.example:3128'],
    [{ ALL_PROXY: PROXY, HTTPS_PROXY: 'http://other:1' }, 'proxy.example:3128', 'other:1'],
    [{ https_proxy: PROXY, HTTPS_PROXY: 'http://other:1' }, undefined, 'proxy.example:3128'],
    [{ https_proxy: '', HTTPS_PROXY: PROXY }, undefined, 'proxy.example:3128'],
    [{ HTTPS_PROXY: 'proxy.example:3128' }, undefined, 'proxy.example:3128'],
    [{ HTTPS_PROXY: 'https://proxy.example' }, undefined, 'proxy.example'],
  ])('%j', (env, http, https) => {
    expect([wayOf('http://api.example', env), wayOf('https://api.example', env)]).toEqual([http, https])
  })

  test.each<[noProxy: string, url: string, isStraight: boolean]>([
    ['*', 'https://api.example', true],
    ['api.example', 'https://api.example', true],
    ['API.Example', 'https://api.EXAMPLE', true],
    ['example', 'https://api.example', true],
    ['.example', 'https://api.example', true],
    ['*.example', 'https://api.example', true],
    ['.api.example', 'https://api.example', true],
    ['pi.example', 'https://api.example', false],
    ['api.example:443', 'https://api.example', true],
    ['api.example:8443', 'https://api.example', false],
    ['api.example:8443', 'https://api.example:8443', true],
    ['api.example', 'https://api.example.', true],
    ['localhost, 127.0.0.1', 'https://127.0.0.1:8443', true],
    ['localhost 127.0.0.1', 'https://127.0.0.1:8443', true],
    ['0.0.1', 'https://127.0.0.1', false],
    ['[::1]', 'https://[::1]:8443', true],
    ['[::1]:8443', 'https://[::1]:8443', true],
    ['', 'https://api.example', false],
    [',', 'https://api.example', false],
    ['.', 'https://api.example', false],
  ])('NO_PROXY=%s for %s', (noProxy, url, isStraight) => {
    expect(wayOf(url, { ALL_PROXY: PROXY, NO_PROXY: noProxy })).toBe(isStraight ? undefined : 'proxy.example:3128')
  })

  test.each(['socks5://canary:1080', 'http://canary/path', '://canary', 'http://%zz:canary@proxy'])(
    '%s is named, and not shown',
    (text) => {
      expect(() => proxyingOf({ HTTPS_PROXY: text })).toThrow(/^the variable HTTPS_PROXY is no address of the form http:\/\/host:port$/)
    },
  )
})

test('an address is that of a proxy, with nothing behind its port', () => {
  for (const one of [PROXY, 'https://proxy', 'http://u:p@proxy:1', 'http://[::1]:3128/'])
    expect([one, isProxyAddress(one)]).toEqual([one, true])
  for (const one of ['proxy:3128', 'socks5://proxy', 'http://proxy/x', 'http://proxy?x', 'http://proxy#x', ''])
    expect([one, isProxyAddress(one)]).toEqual([one, false])
})

test('user and password are told to the proxy alone', () => {
  const url = 'http://tom:p%40ss%2Fword@proxy.example:3128'
  expect(proxyAuthorization(new URL(url))).toBe(`Basic ${Buffer.from('tom:p@ss/word').toString('base64')}`)
  expect(proxyAuthorization(new URL(PROXY))).toBeUndefined()
  expect(showProxy(new URL(url))).toBe('proxy.example:3128')
  expect(describeWay('https://api.example', proxyAt(url))).toBe('through the proxy proxy.example:3128')
  expect(new Set(secretsOf(proxyAt(url)))).toEqual(new Set(['p%40ss%2Fword', 'p@ss/word', Buffer.from('tom:p@ss/word').toString('base64')]))
  expect(secretsOf(proxyAt(PROXY))).toEqual([])
})

test('a way is told as it is gone', () => {
  const env = proxyingOf({ HTTPS_PROXY: PROXY, NO_PROXY: 'internal' })
  expect(describeWay('https://api.example', env)).toBe('through the proxy proxy.example:3128')
  expect(describeWay('https://mcp.internal', env)).toBe('straight, as the environment says')
  expect(describeWay('https://api.example', undefined)).toBe('straight')
})
