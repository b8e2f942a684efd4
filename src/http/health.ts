import type { Hono } from 'hono'
import { dutyFault } from '../core/duties.ts'
import { clockFault } from '../core/rules/schedules/skew.ts'
import type { Duty } from '../lib/time/duty.ts'

export interface Health {
  /** Readiness checks by name. Each resolves or rejects. */
  checks: Readonly<Record<string, () => Promise<unknown>>>
  /** What this process does in the background. */
  duties: () => readonly Pick<Duty, 'state'>[]
  /** How far this process's clock is ahead of the store's, in ms; undefined before it was measured. */
  skewMs: () => number | undefined
  /** True from the first signal to stop. */
  isDraining: () => boolean
}

const TIMEOUT_MS = 3000

/**
 * `/livez`: the process answers. `/readyz`: the store and the queue take writes, the clock is not wrong, and it is not draining. No MCP server, nor the gateway, is asked. Duties are shown and
 * do not count: no request waits for one, and replicas that all fail the same duty would all be taken out of their service.
 */
export function addHealth(app: Hono, { checks, duties, skewMs, isDraining }: Health): void {
  app.get('/livez', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        const answers = (async () => check())().then(
          () => true,
          () => false,
        )
        return [name, (await Promise.race([answers, late()])) ? 'ok' : 'does not answer'] as const
      }),
    )
    const draining = isDraining()
    const clock = clockFault(skewMs() ?? 0) ?? 'ok'
    const ready = !draining && clock !== 'wrong' && results.every(([, result]) => result === 'ok')
    const status = ready ? 'ok' : draining ? 'draining' : 'not ready'
    return c.json(
      { status, checks: { ...Object.fromEntries(results), clock }, duties: Object.fromEntries(duties().flatMap(stateOf)) },
      ready ? 200 : 503,
    )
  })
}

function stateOf(duty: Pick<Duty, 'state'>): [name: string, state: 'ok' | 'failing' | 'late'][] {
  const { name, everyMs, startedAgoMs, succeededAgoMs, failed } = duty.state()
  return startedAgoMs === undefined
    ? []
    : [[name, dutyFault({ everyMs, startedAgoMs, succeededAgoMs, failedAgoMs: failed?.agoMs }) ?? 'ok']]
}

const late = () => new Promise<false>((done) => setTimeout(done, TIMEOUT_MS, false).unref())
