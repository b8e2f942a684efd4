// @ts-nocheck
import { randomUUID } from 'node:crypto'

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

/** Numbers from 0 to 1 that are the same for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The lines in another order, some twice, some not at all. */
export function disturb<T>(lines: readonly T[], random: () => number): T[] {
  const kept = lines.flatMap((line) => {
    const luck = random()
    return luck < 0.15 ? [] : luck < 0.35 ? [line, line] : [line]
  })
  for (let i = kept.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [kept[i], kept[j]]
    if (a === undefined || b === undefined) continue
    kept[i] = b
    kept[j] = a
  }
  return kept
}
