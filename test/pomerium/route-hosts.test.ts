import { describe, expect, test } from 'vitest'
import type { GatewayFetch } from '../../src/core/ports/gateway.ts'
import { listRoutes, requireRoute } from '../../src/pomerium/routes.ts'

const GATEWAY = 'https://hr.corp.example.com:8443'

function list(urls: Record<string, string>, routeHosts: readonly string[] = [], gatewayUrl = GATEWAY) {
  const servers = Object.entries(urls).map(([name, url]) => ({ name, url }))
  const fetch: GatewayFetch = () => Promise.resolve(Response.json({ servers }))
  return listRoutes({ fetch, gatewayUrl, routeHosts, account: 'reports', redact: (text) => text })
}

describe('the account’s token goes to no host', () => {
  test.each([
    [
      'of another domain',
      'https://hr.example.net/mcp',
      'its host hr.example.net is neither of the domain of hr.corp.example.com nor in gateway.routeHosts',
    ],
    [
      'that looks like one of the domain',
      'https://hr.corp.example.com.example.net',
      'its host hr.corp.example.com.example.net is neither of the domain of hr.corp.example.com nor in gateway.routeHosts',
    ],
    ['behind a user', 'https://hr.corp.example.com@example.net', 'its address holds a user or a password'],
    ['without TLS', 'http://labor.corp.example.com', 'its address is not https://'],
    ['that is none', 'labor', 'its address is no URL'],
  ])('%s', async (_, url, why) => {
    const listed = await list({ labor: url, hr: `${GATEWAY}/mcp` })
    expect([...listed.routes.keys()]).toEqual(['hr'])
    expect(Object.fromEntries(listed.leftOut)).toEqual({ labor: why })
    expect(() => requireRoute(listed, 'labor')).toThrow(`The MCP route labor that Pomerium lists is not used: ${why}.`)
  })
})

test('a route beside the gateway’s own host is used, and one of a host that the configuration names', async () => {
  const urls = { labor: 'https://labor.corp.example.com', mcp: 'https://mcp.example.org/x', deep: 'https://a.Example.NET' }
  const listed = await list(urls, ['mcp.example.org', '*.EXAMPLE.net'])
  expect([...listed.routes.keys()]).toEqual(['labor', 'mcp', 'deep'])
  expect(requireRoute(listed, 'labor').url).toBe('https://labor.corp.example.com')
})

test('of a route that is not listed, the error says which are', async () => {
  const listed = await list({ labor: 'https://labor.corp.example.com' })
  expect(() => requireRoute(listed, 'hr')).toThrow('Pomerium lists no MCP route hr; it lists labor.')
})
