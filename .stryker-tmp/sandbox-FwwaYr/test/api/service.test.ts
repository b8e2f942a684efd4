// @ts-nocheck
import { expect, test } from 'vitest'
import { z } from 'zod'
import { query } from '../../src/store/postgres/db.ts'
import { bearer, openApi } from '../support/app/api.ts'
import { startFlakyProxy } from '../support/gateway/flaky-proxy.ts'
import { WORK, WORK_SCRIPT } from '../support/app/jobs.ts'

const RUNS = 500
const AT_ONCE = 10
const ticket = z.object({ id: z.string() })

test('a service that sends 500 requests twice through a connection that breaks has 500 runs', { timeout: 120_000 }, async () => {
  await using api = await openApi({ jobs: { work: WORK }, scripts: { scripted: WORK_SCRIPT } })
  await using proxy = await startFlakyProxy(api.url, { seed: 7, share: 0.3 })

  /** Sends until there is an answer, as a service does. */
  async function ask(n: number): Promise<string> {
    for (;;) {
      const answer = await fetch(`${proxy.url}/v1/jobs/work/runs`, {
        method: 'POST',
        headers: { ...bearer('runner'), 'content-type': 'application/json', 'idempotency-key': `order-${n}` },
        body: JSON.stringify({ input: { n } }),
      })
        .then(async (response) => ({ status: response.status, text: await response.text() }))
        .catch(() => undefined)
      if (!answer) continue
      expect(answer.status, answer.text).toBe(202)
      return ticket.parse(JSON.parse(answer.text)).id
    }
  }

  async function askAll(): Promise<string[]> {
    const ids: string[] = []
    let next = 0
    const work = async () => {
      while (next < RUNS) {
        const n = next++
        ids[n] = await ask(n)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return ids
  }

  const [first, second] = await Promise.all([askAll(), askAll()])
  expect(second).toEqual(first)
  expect(new Set(first).size).toBe(RUNS)
  const rows = await query<{ id: string; n: number }>(api.testApp.database.db, "select id, (input->>'n')::int as n from runs order by n")
  expect(rows.map(({ id }) => id)).toEqual(first)
  expect(proxy.cuts).toBeGreaterThan(100)
})
