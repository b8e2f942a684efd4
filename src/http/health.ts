import type { Hono } from 'hono'

export interface Health {
  /** Readiness checks by name. Each resolves or rejects. */
  checks: Readonly<Record<string, () => Promise<unknown>>>
  /** True from the first signal to stop. */
  isDraining: () => boolean
}

const TIMEOUT_MS = 3000

/** `/livez`: the process answers. `/readyz`: the store and the queue answer, and it is not draining. No MCP server, nor the gateway, is asked. */
export function addHealth(app: Hono, { checks, isDraining }: Health): void {
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
    const ready = !draining && results.every(([, result]) => result === 'ok')
    return c.json({ status: ready ? 'ok' : draining ? 'draining' : 'not ready', checks: Object.fromEntries(results) }, ready ? 200 : 503)
  })
}

const late = () => new Promise<false>((done) => setTimeout(done, TIMEOUT_MS, false).unref())
