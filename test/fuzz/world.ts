import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import pLimit from 'p-limit'
import { z } from 'zod'
import { messageOf } from '../../src/core/failure.ts'
import { canonicalText } from '../../src/lib/hash-chain.ts'
import { loadRun } from '../../src/store/runs/show.ts'
import { buildTestApp, type TestApp } from '../support/app/test-app.ts'
import { serveHttp } from '../support/net/listen.ts'
import { chatAnswer, chatChunks, hostedEvents, mcpAnswers, responsesAnswer, responsesEvents } from './answers.ts'
import { change, changed, textOf, wire, type Change, type Wire } from './mutations.ts'

const JOBS = ['chat-streamed', 'chat-whole', 'responses-streamed', 'responses-whole', 'hosted'] as const

/** One odd answer: of whom, and what is odd about it. */
export interface Oddity {
  job: (typeof JOBS)[number]
  /** Which answer: a request of MCP, or the model's first or second turn. */
  of: keyof typeof mcpAnswers | 'turn 1' | 'turn 2'
  /** The server answers with an event stream. */
  events: boolean
  changes: Change[]
  wire: Wire
}

export const oddity: fc.Arbitrary<Oddity> = fc.record({
  job: fc.constantFrom(...JOBS),
  of: fc.constantFrom('initialize' as const, 'tools/list' as const, 'tools/call' as const, 'tools/call' as const, 'turn 1' as const, 'turn 1' as const, 'turn 2' as const), // prettier-ignore
  events: fc.boolean(),
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  wire,
})

const AT_ONCE = 6

const job = (name: (typeof JOBS)[number]) => `
account: reports
model: { provider: ${name}, name: odd }
prompt: "Case {{ input.key }}."
input: { type: object, properties: { key: { type: string } } }
tools: { odd: { allow: [act] } }
limits: { deadline: 4s, turns: 4 }
retry: { attempts: 1 }
${name === 'hosted' ? 'delegate: hosted' : ''}
`

const messageSchema = z.looseObject({ id: z.unknown(), method: z.string().optional() })

/** What no answer of a server or a model may make a person read. */
const OUR_FAULT =
  /INTERNAL_ERROR|Unexpected:|Report it|invalid input|out of range|violates|unsupported Unicode|syntax error|column "|A fault of Nightshift|could not be begun/

/** Lets a whole worker meet odd answers, one a run. Returns those that it took for a fault of its own. */
export async function meetAll(odd: readonly Oddity[]): Promise<{ odd: Oddity; why: string }[]> {
  const byKey = new Map<string, Oddity>()
  const byRun = new Map<string, string>()
  await using building = new AsyncDisposableStack()

  async function serveMcp(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.setHeader('x-envoy-upstream-service-time', '1')
    const body = await text(req)
    if (req.method !== 'POST') return void res.writeHead(405).end()
    const { id, method = '' } = messageSchema.parse(JSON.parse(body))
    const result = Object.entries(mcpAnswers).find(([name]) => name === method)?.[1]
    if (!result) return void res.writeHead(202).end()
    const one = byKey.get(byRun.get(String(req.headers['x-nightshift-run-id'])) ?? '')
    send(res, [{ jsonrpc: '2.0', id, result }], one?.events ?? false, one?.of === method ? one : undefined)
  }

  async function serveModel(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await text(req)
    const one = byKey.get(/Case ([\w-]+)\./.exec(body)?.[1] ?? '')
    if (!one) return void res.writeHead(404).end()
    const first = !/"(?:tool_call_id|function_call_output)"/.test(body)
    const mutated = one.of === (first ? 'turn 1' : 'turn 2') ? one : undefined
    switch (one.job) {
      case 'chat-streamed':
        return send(res, chatChunks(first), true, mutated, 'data: [DONE]\n\n')
      case 'chat-whole':
        return send(res, [chatAnswer(first)], false, mutated)
      case 'responses-streamed':
        return send(res, responsesEvents(first), true, mutated)
      case 'responses-whole':
        return send(res, [responsesAnswer(first)], false, mutated)
      case 'hosted':
        // What follows on a hosted answer is a local turn.
        return body.includes('"mcp"') ? send(res, hostedEvents(), true, one.of.startsWith('turn') ? one : undefined) : send(res, responsesEvents(false), true, mutated) // prettier-ignore
    }
  }

  const server = building.use(await serveHttp(serveMcp))
  const model = building.use(await serveHttp(serveModel))
  const provider = (api: string, stream: boolean) => ({ api, baseUrl: `${model.url}/v1`, apiKey: 'none', stream, answerTimeout: '2s' })
  const testApp = building.use(
    await buildTestApp({
      routes: [
        {
          name: 'odd',
          from: 'https://odd.localhost.pomerium.io',
          to: server.url,
          kind: 'mcp-server',
          policy: { allowUsers: ['svc-reports'] },
        },
      ],
      jobs: Object.fromEntries(JOBS.map((name) => [name, job(name)])),
      config: {
        gateway: { setupTimeout: '2s' },
        providers: {
          'chat-streamed': provider('chat', true),
          'chat-whole': provider('chat', false),
          'responses-streamed': provider('responses', true),
          'responses-whole': provider('responses', false),
          hosted: provider('responses', true),
        },
      },
    }),
  )
  const limit = pLimit(AT_ONCE)
  const found = await Promise.all(
    odd.map((one) =>
      limit(async () => {
        const key = randomUUID()
        byKey.set(key, one)
        const why = await meet(testApp, one, key, (runId) => byRun.set(runId, key))
        byKey.delete(key)
        return why === undefined ? [] : [{ odd: one, why }]
      }),
    ),
  )
  return found.flat()
}

async function meet(testApp: TestApp, one: Oddity, key: string, began: (runId: string) => void): Promise<string | undefined> {
  const { app, log } = testApp
  const runId = await testApp.write(one.job, { key })
  began(runId)
  try {
    await app.runner.execute(runId, randomUUID(), new AbortController().signal)
    const run = await loadRun(app.db, runId)
    if (!run?.finishedAt) return `it did not end: ${run?.status}`
    canonicalText(run)
    const lines = log.filter((line) => line.includes(runId)).join('\n')
    const said = JSON.stringify([run.failure, run.reasons, run.attempts.map(({ failure }) => failure)]) + lines
    const fault = OUR_FAULT.exec(said)
    return fault ? said.slice(Math.max(0, fault.index - 200), fault.index + 600) : undefined
  } catch (error) {
    return `thrown: ${messageOf(error)} ${error instanceof Error ? error.stack : ''}`
  }
}

/** Sends messages as a body or as events, with what is odd about them. */
function send(res: ServerResponse, messages: readonly unknown[], events: boolean, odd: Oddity | undefined, last = ''): void {
  const said = odd ? changed(messages, odd.changes) : messages
  const list: unknown[] = Array.isArray(said) ? said : [said]
  const { status = 200, type, keep = 1, junk = '', twice = false, newline = '\n' } = odd?.wire ?? {}
  const one = (message: unknown) => (events ? `data: ${textOf(message)}\n\n` : textOf(message)).repeat(twice ? 2 : 1)
  const whole = list.map((message, i) => (i === list.length - 1 ? junk : '') + one(message)).join('') + last
  const bytes = Buffer.from(events && newline !== '\n' ? whole.replaceAll('\n', newline) : whole)
  res.writeHead(status, { 'content-type': type ?? (events ? 'text/event-stream' : 'application/json') })
  res.end(status === 204 ? undefined : bytes.subarray(0, Math.ceil(bytes.length * keep)))
}
