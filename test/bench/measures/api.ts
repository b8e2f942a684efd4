import { setTimeout as sleep } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { quantile, round, type Bench, type Row } from '../bench.ts'
import { openHouse, plainJob, TOKEN } from '../house.ts'

const RATES = [200, 500]
const SECONDS = 5
const BATCH = 1000
const BATCHES = 5

/** What a service waits for when it asks for runs at a steady rate. */
export const api: Bench = {
  name: 'api',
  about:
    'POST /v1/jobs/{job}/runs at 200 and 500 requests a second: p50 and p99; POST /v1/runs:batch with 1,000 runs; on Redis and embedded',
  async run({ scale, say }) {
    const rows: Row[] = []
    for (const queue of ['redis', 'embedded'] as const) {
      await using testApp = await openHouse(queue, { plain: plainJob() })
      if (!testApp) {
        say('No Redis on this machine: set REDIS_URL, or install redis-server.')
        continue
      }
      const server = testApp.app.createApiServer()
      await server?.start()
      const agent = new Agent({ connections: 64 })
      const ask = (count: number, rate: number) => steadily(`${server?.url()}/v1/jobs/plain/runs`, { agent, count, rate })
      await ask(100, 100)
      for (const rate of RATES) {
        const times = await ask(Math.round(rate * SECONDS * scale), rate)
        rows.push({
          queue,
          requestsPerSecond: rate,
          requests: times.length,
          p50Ms: round(quantile(times, 0.5)),
          p99Ms: round(quantile(times, 0.99)),
        })
        say(`${queue}, ${rate}/s: p50 ${round(quantile(times, 0.5))} ms`)
      }
      const times: number[] = []
      for (let batch = 0; batch < BATCHES; batch++) times.push(await askBatch(`${server?.url()}/v1/runs:batch`, agent, batch))
      rows.push({ queue, runsOfABatch: BATCH, batches: BATCHES, p50Ms: round(quantile(times, 0.5)), mostMs: round(Math.max(...times)) })
      say(`${queue}, a batch of ${BATCH}: p50 ${round(quantile(times, 0.5))} ms`)
      await agent.close()
      await server?.stop()
    }
    return rows
  },
}

/** One batch, each of its runs with a key, in milliseconds. */
async function askBatch(url: string, dispatcher: Agent, batch: number): Promise<number> {
  const began = performance.now()
  const runs = Array.from({ length: BATCH }, (_, index) => ({ job: 'plain', key: `batch-${batch}-${index}-${began}` }))
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}` }
  const { statusCode, body } = await request(url, { dispatcher, method: 'POST', headers, body: JSON.stringify({ runs }) })
  await body.dump()
  if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`)
  return performance.now() - began
}

/** Requests at a rate, whether the earlier ones were answered or not. Each took so many milliseconds from the time it was due. */
async function steadily(url: string, { agent, count, rate }: { agent: Agent; count: number; rate: number }): Promise<number[]> {
  const began = performance.now()
  const times: number[] = []
  const one = async (index: number) => {
    const due = began + (index * 1000) / rate
    await sleep(Math.max(0, due - performance.now()))
    const { statusCode, body } = await request(url, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${TOKEN}`, 'idempotency-key': `${rate}-${index}-${began}` },
      body: '{}',
    })
    await body.dump()
    if (statusCode !== 202) throw new Error(`HTTP ${statusCode}`)
    times.push(performance.now() - due)
  }
  await Promise.all(Array.from({ length: count }, (_, index) => one(index)))
  return times
}
