import { randomUUID } from 'node:crypto'
import fc from 'fast-check'

/** A line of Pomerium's log as it writes them, with other fields put over it; undefined takes one out. */
export const authorizeLine = (fields: Record<string, unknown> = {}): string =>
  JSON.stringify({
    level: 'info',
    'server-name': 'all',
    service: 'authorize',
    'request-id': randomUUID(),
    'check-request-id': randomUUID(),
    method: 'POST',
    host: 'counting.localhost.pomerium.io',
    path: '/mcp',
    ip: '127.0.0.1',
    user: 'svc-reports',
    email: '',
    'service-account-id': 'sa-reports',
    'route-id': 'r1',
    'mcp-method': 'tools/call',
    'mcp-tool': 'act',
    'mcp-tool-parameters': { n: 1 },
    headers: {},
    allow: true,
    'allow-why-true': ['user-ok'],
    deny: false,
    'deny-why-false': [],
    time: '2026-11-24T10:00:00Z',
    message: 'authorize check',
    ...fields,
  })

/** The lines in any order, each twice, once or not at all. */
export const disturbed = <T>(lines: readonly T[]): fc.Arbitrary<T[]> =>
  fc.array(fc.array(fc.nat(), { maxLength: 2 }), { minLength: lines.length, maxLength: lines.length }).map((places) =>
    lines
      .flatMap((line, i) => (places[i] ?? []).map((place) => ({ line, place })))
      .toSorted((a, b) => a.place - b.place)
      .map(({ line }) => line),
  )
