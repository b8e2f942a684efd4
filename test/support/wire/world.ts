import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { buildTestApp, type TestApp, type TestAppOptions } from '../app/test-app.ts'
import { serveHttp } from '../net/listen.ts'
import { chatAnswer, chatChunks, hostedEvents, mcpAnswers, responsesAnswer, responsesEvents } from './answers.ts'

/** The wires on which a model answers, each a job and a provider of that name. */
export const WIRES = ['chat-streamed', 'chat-whole', 'responses-streamed', 'responses-whole', 'hosted'] as const
export type Wire = (typeof WIRES)[number]

/** The same for each wire, or what the function says. */
export const forWires = <T>(make: (wire: Wire) => T): Record<Wire, T> => ({
  'chat-streamed': make('chat-streamed'),
  'chat-whole': make('chat-whole'),
  'responses-streamed': make('responses-streamed'),
  'responses-whole': make('responses-whole'),
  hosted: make('hosted'),
})

/** What is asked: the list of routes, a request of MCP, or a turn of the model. */
export type Asked = 'routes' | keyof typeof mcpAnswers | 'turn 1' | 'turn 2'

/** A request, and the answer that would do. */
export interface Exchange {
  /** Of the run: what was given with `write`; undefined for what is asked for none. */
  key: string | undefined
  of: Asked
  /** Id of a request of MCP, and the address of the server. */
  id: unknown
  url: string
  messages: readonly unknown[]
  events: boolean
  /** What a stream ends with. */
  last: string
}

export interface WireWorld extends AsyncDisposable {
  testApp: TestApp
  /** Bodies that models were sent, as they came. */
  asked: string[]
  /** Writes a run of a job, whose requests have this key. */
  write(job: string, key: string): Promise<string>
}

export interface WireOptions extends Pick<TestAppOptions, 'redisUrl' | 'config'> {
  /** More lines of each job. */
  jobs: Record<Wire, string>
  answer: (exchange: Exchange, res: ServerResponse) => void
}

const jobText = (wire: Wire, more: string) => `
account: reports
model: { provider: ${wire}, name: odd }
prompt: "Case {{ input.key }}."
input: { type: object, properties: { key: { type: string } } }
tools: { odd: { allow: [act] } }
retry: { attempts: 1 }
${wire === 'hosted' ? 'delegate: hosted' : ''}
${more}`

const messageSchema = z.looseObject({ id: z.unknown().optional(), method: z.string().optional() })

const isKnown = (method: string): method is keyof typeof mcpAnswers => Object.hasOwn(mcpAnswers, method)

/** A whole app, whose gateway, MCP server and model are one server each that nothing tidies up: every byte of an answer is the test's. */
export async function openWireWorld({ jobs, answer, redisUrl, config }: WireOptions): Promise<WireWorld> {
  await using building = new AsyncDisposableStack()
  const keys = new Map<string, string>()
  const asked: string[] = []
  const json = (exchange: Omit<Exchange, 'events' | 'last' | 'url'>) => ({
    events: false,
    last: '',
    url: `${gateway.url}/mcp`,
    ...exchange,
  })

  async function serveGateway(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const key = keys.get(String(req.headers['x-nightshift-run-id']))
    if (req.url?.startsWith('/.pomerium/') === true) {
      const list = { servers: [{ name: 'odd', url: `${gateway.url}/mcp`, description: 'Odd things', connected: true }] }
      return answer(json({ key, of: 'routes', id: undefined, messages: [list] }), res)
    }
    const body = await text(req)
    if (req.method !== 'POST') return void res.writeHead(405).end()
    const { id, method = '' } = messageSchema.parse(JSON.parse(body))
    if (!isKnown(method)) return void res.writeHead(202).end()
    answer(json({ key, of: method, id, messages: [{ jsonrpc: '2.0', id, result: mcpAnswers[method] }] }), res)
  }

  async function serveModel(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await text(req)
    asked.push(body)
    const key = /Case ([\w-]+)\./.exec(body)?.[1]
    const first = !/"(?:tool_call_id|function_call_output)"/.test(body)
    const about = { key, of: first ? ('turn 1' as const) : ('turn 2' as const), id: undefined, url: `${gateway.url}/mcp` }
    switch (req.url?.split('/')[1]) {
      case 'chat-streamed':
        return answer({ ...about, messages: chatChunks(first), events: true, last: 'data: [DONE]\n\n' }, res)
      case 'chat-whole':
        return answer(json({ ...about, messages: [chatAnswer(first)] }), res)
      case 'responses-streamed':
        return answer({ ...about, messages: responsesEvents(first), events: true, last: '' }, res)
      case 'responses-whole':
        return answer(json({ ...about, messages: [responsesAnswer(first)] }), res)
      default:
        // What follows on a hosted answer is a local turn.
        return answer({ ...about, messages: body.includes('"mcp"') ? hostedEvents() : responsesEvents(false), events: true, last: '' }, res)
    }
  }

  const gateway = building.use(await serveHttp(serveGateway))
  const model = building.use(await serveHttp(serveModel))
  const provider = (wire: Wire) => ({
    api: wire.startsWith('chat') ? 'chat' : 'responses',
    baseUrl: `${model.url}/${wire}/v1`,
    stream: !wire.endsWith('whole'),
    answerTimeout: '2s',
  })
  const testApp = building.use(
    await buildTestApp({
      redisUrl,
      jobs: Object.fromEntries(WIRES.map((wire) => [wire, jobText(wire, jobs[wire])])),
      config: {
        ...config,
        gateway: { url: gateway.url, address: undefined, setupTimeout: '2s' },
        providers: Object.fromEntries(WIRES.map((wire) => [wire, { ...provider(wire), apiKey: API_KEY }])),
      },
    }),
  )
  const stack = building.move()
  return {
    testApp,
    asked,
    async write(name, key) {
      const runId = await testApp.write(name, { key })
      keys.set(runId, key)
      return runId
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** The key of each model. */
export const API_KEY = 'key-of-the-model-77-aBcDeFgHiJ'
