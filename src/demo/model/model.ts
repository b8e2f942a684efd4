import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type OpenAI from 'openai'
import { z } from 'zod'
import { chatAnswer, chatChunks } from './chat.ts'
import { createHostedServer, HOSTED_ONLY } from './hosted-server.ts'
import type { Reach } from './mcp.ts'
import { responsesAnswer, responsesEvents, type Turn } from './responses.ts'
import type { Step } from './script.ts'
import { asChat } from './messages/conversation.ts'
import { sendFault as sendMessageFault, refuse as refuseMessage } from './messages/errors.ts'
import { createMessagesServer } from './messages/server.ts'
import { createMeter } from './size/meter.ts'
import { seenOf, type Character } from './seen.ts'
import { createOpenai } from './vendors/openai.ts'
import { OPENAI_HABITS, type Habits } from './vendors/habits.ts'
import { itemOf, itemsOf, type Item } from './vendors/request.ts'
import type { Vendor } from './vendors/vendor.ts'
import { sendFault, sendJson, type Fail } from './send.ts'
import { turnOf } from './turn-of.ts'

/** Checks a request, an answer or an event against the provider's published schema; throws what does not fit. */
export type ValidateWire = (schema: 'CreateResponse' | 'Response' | 'ResponseStreamEvent', value: unknown) => void

export interface DemoModelOptions {
  /** Script by model name. */
  scripts: Record<string, readonly Step[]>
  /** Models that decide by themselves, by name. */
  characters?: Readonly<Record<string, Character>>
  /** The key it wants; undefined: any. */
  apiKey?: string
  validate?: ValidateWire
  /** Whose rules it keeps; OpenAI's without one. */
  vendor?: Vendor
  /** How it calls servers itself; as OpenAI publishes it without them. */
  habits?: Habits
  /** Most tokens of a request, with the answer that it asks for, by model; others take anything. */
  windows?: Readonly<Record<string, number>>
  /** How to get to MCP servers that a request names, when it is not as their URL says. */
  reach?: Reach
}

export interface DemoModel extends AsyncDisposable {
  /** For `baseUrl`. */
  url: string
  scripts: Record<string, readonly Step[]>
  /** Bodies of all requests, for tests. */
  requests: unknown[]
}

const requestSchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  input: z.unknown().optional(),
  messages: z.unknown().optional(),
  tool_choice: z.unknown().optional(),
  tools: z.array(z.looseObject({ type: z.string() })).optional(),
  background: z.boolean().optional(),
  service_tier: z.unknown().optional(),
})
type ModelRequest = z.output<typeof requestSchema>

/** A model behind the Responses and the Chat API that says what a script tells it. What it says next follows from what it is sent. */
export async function startDemoModel(options: DemoModelOptions): Promise<DemoModel> {
  const scripts = { ...options.scripts }
  const characters = new Map(Object.entries(options.characters ?? {}))
  const requests: unknown[] = []
  /** Faults that came once already, by conversation and step. */
  const spent = new Set<string>()
  const vendor = options.vendor ?? createOpenai()
  const habits = options.habits ?? OPENAI_HABITS
  const meter = createMeter(options.windows ?? {})
  const hostedServer = createHostedServer({ ...options, meter })
  const messages = createMessagesServer({ windows: options.windows ?? {}, apiKey: options.apiKey, reach: options.reach })

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const sent = await readText(req)
    res.setHeader('x-request-id', `req_${randomUUID().replaceAll('-', '')}`)
    const fail: Fail = (status, code, message, headers = {}) =>
      sendJson(
        res,
        status,
        { error: { message, type: status === 429 && code !== 'insufficient_quota' ? 'requests' : code, param: null, code } },
        headers,
      )
    if (messages.speaks(req)) return serveMessages(req, res, itemOf(JSON.parse(sent)))
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://model')
    if (vendor.query !== undefined && !searchParams.has(vendor.query)) return fail(404, '404', 'Resource not found')
    const key = vendor.keyHeader === undefined ? req.headers.authorization?.replace(/^Bearer /, '') : req.headers[vendor.keyHeader]
    if (options.apiKey !== undefined && key !== options.apiKey) return fail(401, 'invalid_api_key', 'Incorrect API key provided.')
    if (await hostedServer.serveKept(req, res, fail)) return
    const api = pathname === '/v1/responses' ? 'responses' : pathname === '/v1/chat/completions' ? 'chat' : undefined
    if (!api || req.method !== 'POST') return fail(404, 'not_found', `There is nothing at ${req.url ?? ''}.`)
    const body: unknown = JSON.parse(sent)
    requests.push(body)
    if (api === 'responses') options.validate?.('CreateResponse', body)
    const request = requestSchema.parse(body)
    const refusal = vendor.refuse(api, request) ?? meter.refuse(api, request)
    if (refusal) return sendJson(res, refusal.status, refusal.body)
    const character = characters.get(request.model)
    const steps = character ? [] : Object.hasOwn(scripts, request.model) ? scripts[request.model] : undefined
    if (!steps) return fail(404, 'model_not_found', `The model ${request.model} does not exist.`)
    if (request.tools?.some(({ type }) => type === 'mcp')) {
      return hostedServer.serve(
        res,
        request,
        {
          steps,
          take: (step) => take(step, request),
          decide: character && ((calls, tools) => character({ ...seenOf(request), calls, tools, mustAnswer: false })),
        },
        fail,
      )
    }
    const next = character ? undefined : await nextStep(steps, request, api)
    if (next?.kind === 'fault') return sendFault(res, next.fault, fail, api)
    const turn = next
      ? turnOf(next, api === 'responses' ? resultsOf(request.input) : resultsOf(request.messages), request.tool_choice === 'none')
      : (character?.(seenOf(request)) ?? { text: '', stop: 'end' as const })
    if (api === 'responses') sendResponses(res, { ...request, background: habits.background !== 'ignored' && request.background }, turn)
    else {
      const { usage, ...uncounted } = chatAnswer(request, turn, meter.count(request))
      sendChat(res, request, vendor.dressCompletion({ ...uncounted, ...(habits.usage && usage && { usage }) }))
    }
  }

  async function serveMessages(req: IncomingMessage, res: ServerResponse, body: Item): Promise<void> {
    requests.push(body)
    if (messages.refuses(req, res, body)) return
    const request = requestSchema.parse(asChat(body))
    const character = characters.get(request.model)
    const steps = character ? [] : Object.hasOwn(scripts, request.model) ? scripts[request.model] : undefined
    if (!steps) return refuseMessage(res, 404, `model: ${request.model}`)
    if (messages.isHosted(body))
      return messages.serveHosted(req, res, body, {
        steps,
        take: (step) => take(step, request),
        decide: character && ((calls, tools) => character({ ...seenOf(request), calls, tools, mustAnswer: false })),
      })
    const next = character ? undefined : await nextStep(steps, request, 'chat')
    if (next?.kind === 'fault') return sendMessageFault(res, next.fault)
    const turn = next
      ? turnOf(next, resultsOf(request.messages), request.tool_choice === 'none')
      : (character?.(seenOf(request)) ?? { text: '', stop: 'end' as const })
    messages.send(res, body, turn)
  }

  /** True when the step is still to come in this conversation. */
  function take(step: Step, request: ModelRequest): boolean {
    const steps = scripts[request.model] ?? []
    const key = JSON.stringify([request.model, firstOf(request.input) ?? firstOf(request.messages), steps.indexOf(step)])
    if (step.kind === 'fault' && step.tier !== undefined && step.tier !== request.service_tier) return false
    if (spent.has(key) && !(step.kind === 'fault' && step.always)) return false
    spent.add(key)
    return true
  }

  /** Steps that were said already are as many as the turns in the conversation; faults and waits come in between. */
  async function nextStep(steps: readonly Step[], request: ModelRequest, api: 'responses' | 'chat'): Promise<Step> {
    let said = api === 'responses' ? turnsOfInput(request.input) : turnsOfMessages(request.messages)
    // A conversation without tools goes on after a turn in which the provider made the calls itself.
    const hosted = request.tools === undefined
    for (const step of steps) {
      if (HOSTED_ONLY.has(step.kind) || (hosted && step.kind === 'call')) continue
      if (step.kind === 'fault' || step.kind === 'wait') {
        if (said > 0 || !take(step, request)) continue
        if (step.kind === 'fault') return step
        await sleep(step.ms)
      } else if (said-- === 0) return step
    }
    return steps.findLast((step) => step.kind === 'say') ?? { kind: 'say', text: 'There is nothing more in the script.' }
  }

  function sendResponses(res: ServerResponse, request: ModelRequest, turn: Turn): void {
    const { usage, ...uncounted } = responsesAnswer(request, turn, meter.count(request))
    const answer = vendor.dressResponse({ ...uncounted, ...(habits.usage && usage && { usage }) }, request)
    options.validate?.('Response', answer)
    if (request.stream !== true) return sendJson(res, 200, answer)
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of responsesEvents(answer, habits.output)) {
      options.validate?.('ResponseStreamEvent', event)
      res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    }
    res.end()
  }

  const server = createServer((req, res) => {
    serve(req, res).catch((error: unknown) => {
      if (!res.headersSent)
        sendJson(res, 400, {
          error: {
            message: error instanceof Error ? error.message : String(error),
            type: 'invalid_request_error',
            param: null,
            code: null,
          },
        })
      else res.destroy()
    })
  })
  server.requestTimeout = 0
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1`,
    scripts,
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
      await hostedServer.close()
      await messages.close()
    },
  }
}

function sendChat(res: ServerResponse, request: ModelRequest, answer: OpenAI.Chat.ChatCompletion): void {
  if (request.stream !== true) return sendJson(res, 200, answer)
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const chunk of chatChunks(answer)) res.write(`data: ${JSON.stringify(chunk)}\n\n`)
  res.end('data: [DONE]\n\n')
}

const firstOf = (conversation: unknown): unknown => itemsOf(conversation).find(({ role }) => role === 'user')?.['content']

/** Turns of ours in a Responses input: a message of the assistant, or a group of calls. */
function turnsOfInput(input: unknown): number {
  let turns = 0
  let inTurn = false
  for (const item of itemsOf(input)) {
    const ours = item['role'] === 'assistant' || item['type'] === 'function_call' || item['type'] === 'reasoning'
    if (ours && !inTurn) turns++
    inTurn = ours
  }
  return turns
}

const turnsOfMessages = (messages: unknown): number => itemsOf(messages).filter(({ role }) => role === 'assistant').length

function resultsOf(conversation: unknown): string[] {
  return itemsOf(conversation).flatMap((item) => {
    if (item['type'] === 'function_call_output') return [String(item['output'])]
    return item['role'] === 'tool' ? [String(item['content'])] : []
  })
}
