import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { firstWake } from '../../src/core/ports/wake.ts'
import pLimit from 'p-limit'
import type { RunStatus } from '../../src/core/run.ts'
import { forWires, openWireWorld, type Exchange, type WireWorld } from '../support/wire/world.ts'
import { canariesOf, type Canaries } from './canaries.ts'
import { makePlans, send, type Plan } from './plan.ts'

export interface Met {
  plan: Plan
  runId: string
  status: RunStatus
}

export interface CanaryWorld extends WireWorld {
  canaries: Canaries
  /** What each answer came to. */
  met: Met[]
}

const AT_ONCE = 12

const JOB = `
limits: { deadline: 10s, turns: 4, resultBytes: 256 }
context: [{ resource: "a:b" }, { prompt: p }]
deliver: [{ file: reports }, { webhook: hook }]
`
const OUTPUT = 'output: { schema: { type: object } }\n'

/** Lets a worker meet every answer, one a run, and waits for their ends. */
export async function meetAll(redisUrl: string | undefined, config: Record<string, unknown>): Promise<CanaryWorld> {
  const plans = new Map<string, Plan>()
  /** What is asked for no run: by doctor, and by who pins a job. */
  const outside = new Map<string, Plan>()
  await using building = new AsyncDisposableStack()

  function answer(exchange: Exchange, res: ServerResponse): void {
    const plan = exchange.key === undefined ? outside.get(exchange.of) : plans.get(exchange.key)
    if (plan?.row.of === exchange.of) return send(res, plan, exchange)
    const { events, messages, last } = exchange
    res.writeHead(200, { 'content-type': events ? 'text/event-stream' : 'application/json' })
    res.end(messages.map((message) => (events ? `data: ${JSON.stringify(message)}\n\n` : JSON.stringify(message))).join('') + last)
  }

  const jobs = forWires((wire) => `${JOB}${wire.endsWith('whole') ? OUTPUT : ''}`)
  const world = building.use(await openWireWorld({ jobs, answer, redisUrl, config: { worker: { concurrency: AT_ONCE }, ...config } }))
  const { testApp } = world
  const canaries = canariesOf(testApp.world.account.jwt)
  await testApp.app.worker.start()
  const limit = pLimit(AT_ONCE)
  const all = makePlans(canaries)
  // With a list of routes that leads nowhere, nobody would be asked; of models, a refusal is shown.
  const isShown = ({ row, where }: Plan) =>
    where === 'everywhere' && row.of !== 'routes' && (row.of === 'turn 1' ? row.name === 'chat-whole refused with 400' : row.status === 200)
  for (const plan of all.filter(isShown)) if (!outside.has(plan.row.of)) outside.set(plan.row.of, plan)
  const met = await Promise.all(
    all.map((plan) =>
      limit(async () => {
        const key = randomUUID()
        plans.set(key, plan)
        const runId = await world.write(plan.row.job, key)
        await testApp.app.producer.wake([firstWake(runId)])
        const { status } = await testApp.ended(runId)
        return { plan, runId, status }
      }),
    ),
  )
  const stack = building.move()
  return { ...world, canaries, met, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
