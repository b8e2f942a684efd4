import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type OpenAI from 'openai'
import { z } from 'zod'
import { chatAnswer, chatChunks } from './chat.ts'
import { hostedRequestSchema, startHostedAnswer, type HostedAnswer } from './hosted.ts'
import { createMcpReach, ListingError, type Reach } from './mcp.ts'
import { responsesAnswer, responsesEvents, type Turn } from './responses.ts'
import { fill, type Fault, type Step } from './script.ts'
import { seenOf, type Character } from './seen.ts'
import { createOpenai } from './vendors/openai.ts'
import type { Vendor } from './vendors/vendor.ts'

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
})
type ModelRequest = z.output<typeof requestSchema>
type Fail = (status: number, code: string, message: string, headers?: Record<string, string>) => void

/** A model behind the Responses and the Chat API that says what a script tells it. What it says next follows from what it is sent. */
export async function startDemoModel(options: DemoModelOptions): Promise<DemoModel> {
  const scripts = { ...options.scripts }
  const characters = new Map(Object.entries(options.characters ?? {}))
  const requests: unknown[] = []
  /** Faults that came once already, by conversation and step. */
  const spent = new Set<string>()
  const reach = createMcpReach(options.reach)
  const vendor = options.vendor ?? createOpenai()
  /** Background answers, which go on without a reader. */
  const answers = new Map<string, HostedAnswer>()

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const sent = await readText(req)
    const requestId = `req_${randomUUID().replaceAll('-', '')}`
    const fail: Fail = (status, code, message, headers = {}) =>
      sendJson(
        res,
        status,
        { error: { message, type: status === 429 && code !== 'insufficient_quota' ? 'requests' : code, param: null, code } },
        { 'x-request-id': requestId, ...headers },
      )
    if (options.apiKey !== undefined && req.headers.authorization !== `Bearer ${options.apiKey}`)
      return fail(401, 'invalid_api_key', 'Incorrect API key provided.')
    const kept = /^\/v1\/responses\/(resp_\w+)(\/cancel)?(?:\?|$)/.exec(req.url ?? '')
    if (kept) return serveKept(req, res, fail, { id: kept[1] ?? '', cancel: kept[2] !== undefined })
    const api = req.url === '/v1/responses' ? 'responses' : req.url === '/v1/chat/completions' ? 'chat' : undefined
    if (!api || req.method !== 'POST') return fail(404, 'not_found', `There is nothing at ${req.url ?? ''}.`)
    const body: unknown = JSON.parse(sent)
    requests.push(body)
    if (api === 'responses') options.validate?.('CreateResponse', body)
    const request = requestSchema.parse(body)
    const refusal = vendor.refuse(api, request)
    if (refusal) return sendJson(res, refusal.status, refusal.body, { 'x-request-id': requestId })
    const character = characters.get(request.model)
    const steps = character ? [] : Object.hasOwn(scripts, request.model) ? scripts[request.model] : undefined
    if (!steps) return fail(404, 'model_not_found', `The model ${request.model} does not exist.`)
    if (request.tools?.some(({ type }) => type === 'mcp')) return serveHosted(res, request, steps, fail)
    const next = character ? undefined : await nextStep(steps, request, api)
    if (next?.kind === 'fault') return sendFault(res, next.fault, fail)
    const turn = next
      ? turnOf(next, api === 'responses' ? resultsOf(request.input) : resultsOf(request.messages), request.tool_choice === 'none')
      : (character?.(seenOf(request)) ?? { text: '', stop: 'end' as const })
    if (api === 'responses') sendResponses(res, request, turn, requestId)
    else sendChat(res, request, vendor.dressCompletion(chatAnswer(request.model, turn)), requestId)
  }

  /** True when the step is still to come in this conversation. */
  function take(step: Step, request: ModelRequest): boolean {
    const steps = scripts[request.model] ?? []
    const key = JSON.stringify([request.model, firstOf(request.input) ?? firstOf(request.messages), steps.indexOf(step)])
    if (spent.has(key) && !(step.kind === 'fault' && step.always)) return false
    spent.add(key)
    return true
  }

  async function serveHosted(res: ServerResponse, request: ModelRequest, steps: readonly Step[], fail: Fail): Promise<void> {
    const character = characters.get(request.model)
    for (const step of steps) {
      if (step.kind === 'fault' && take(step, request)) return sendFault(res, step.fault, fail)
      if (step.kind !== 'fault' && step.kind !== 'wait' && !HOSTED_ONLY.has(step.kind)) break
    }
    let answer: HostedAnswer
    try {
      answer = await startHostedAnswer(hostedRequestSchema.parse(request), {
        reach,
        steps,
        take: (step) => take(step, request),
        turnOf: (step, results) => turnOf(step, results, false),
        decide: character && ((calls, tools) => character({ ...seenOf(request), calls, tools, mustAnswer: false })),
      })
    } catch (error) {
      if (!(error instanceof ListingError)) throw error
      const status = error.status === undefined ? '' : ` Http status code: ${error.status}${error.status === 401 ? ' (Unauthorized)' : ''}`
      const message = `Error retrieving tool list from MCP server: '${error.label}'.${status}`
      return sendJson(res, 424, { error: { type: 'external_connector_error', code: 'http_error', param: 'tools', message } })
    }
    if (request.background === true) answers.set(answer.id, answer)
    // Without background mode, an answer that nobody reads is ended.
    else res.once('close', () => answer.cancel())
    if (request.stream === true) return sendEvents(res, answer, { after: -1, first: true })
    if (request.background !== true) await answer.done
    sendJson(res, 200, answer.response())
  }

  /** An answer that was asked for in the background: looked at, read again, or cancelled. */
  async function serveKept(
    req: IncomingMessage,
    res: ServerResponse,
    fail: Fail,
    { id, cancel }: { id: string; cancel: boolean },
  ): Promise<void> {
    const answer = answers.get(id)
    if (!answer) return fail(404, 'not_found', `Response with id '${id}' not found.`)
    const { searchParams } = new URL(req.url ?? '', 'http://model')
    if (cancel) {
      answer.cancel()
      await answer.done
    } else if (searchParams.get('stream') === 'true')
      return sendEvents(res, answer, { after: Number(searchParams.get('starting_after') ?? -1), first: false })
    sendJson(res, 200, answer.response())
  }

  async function sendEvents(res: ServerResponse, answer: HostedAnswer, reader: { after: number; first: boolean }): Promise<void> {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    for await (const event of answer.events(reader)) {
      if (event === 'cut') return void res.socket?.resetAndDestroy()
      if (event === 'silent') break
      options.validate?.('ResponseStreamEvent', event)
      res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    }
    res.end()
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

  function sendResponses(res: ServerResponse, request: ModelRequest, turn: Turn, requestId: string): void {
    const answer = vendor.dressResponse(responsesAnswer(request, turn), request)
    options.validate?.('Response', answer)
    if (request.stream !== true) return sendJson(res, 200, answer, { 'x-request-id': requestId })
    res.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': requestId })
    for (const event of responsesEvents(answer)) {
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
      for (const answer of answers.values()) answer.cancel()
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
      await reach.close()
    },
  }
}

function sendJson(res: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body)
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), ...headers })
  res.end(text)
}

function sendChat(res: ServerResponse, request: ModelRequest, answer: OpenAI.Chat.ChatCompletion, requestId: string): void {
  if (request.stream !== true) return sendJson(res, 200, answer, { 'x-request-id': requestId })
  res.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': requestId })
  for (const chunk of chatChunks(answer)) res.write(`data: ${JSON.stringify(chunk)}\n\n`)
  res.end('data: [DONE]\n\n')
}

function sendFault(res: ServerResponse, fault: Fault, fail: Fail): void {
  switch (fault.kind) {
    case 'status':
      return fail(
        fault.status,
        fault.code ?? 'server_error',
        `Scripted failure ${fault.status}.`,
        fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) },
      )
    case 'cut':
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('event: response.created\ndata: {"type":"resp')
      res.flushHeaders()
      setImmediate(() => res.socket?.resetAndDestroy())
      return
    case 'silent':
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.end()
      return
    case 'garbage':
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end('<html>not JSON</html>')
  }
}

/** Steps that say something only of a model that calls the servers itself. */
const HOSTED_ONLY = new Set<Step['kind']>(['ignore', 'approve', 'errors-as-text'])

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.filter(isObject) : [])
const firstOf = (conversation: unknown): unknown => list(conversation).find(({ role }) => role === 'user')?.['content']

/** Turns of ours in a Responses input: a message of the assistant, or a group of calls. */
function turnsOfInput(input: unknown): number {
  let turns = 0
  let inTurn = false
  for (const item of list(input)) {
    const ours = item['role'] === 'assistant' || item['type'] === 'function_call' || item['type'] === 'reasoning'
    if (ours && !inTurn) turns++
    inTurn = ours
  }
  return turns
}

const turnsOfMessages = (messages: unknown): number => list(messages).filter(({ role }) => role === 'assistant').length

function resultsOf(conversation: unknown): string[] {
  return list(conversation).flatMap((item) => {
    if (item['type'] === 'function_call_output') return [String(item['output'])]
    return item['role'] === 'tool' ? [String(item['content'])] : []
  })
}

function turnOf(step: Exclude<Step, { kind: 'fault' }>, results: string[], mustAnswer: boolean): Turn {
  switch (step.kind) {
    case 'call':
      if (mustAnswer) return { text: JSON.stringify({ partial: true, results: results.length }), stop: 'end' }
      return {
        calls: step.calls.map((call) => ({
          name: call.name,
          arguments: typeof call.arguments === 'string' ? fill(call.arguments, results, true) : call.arguments(results),
        })),
        stop: 'end',
      }
    case 'say':
      return { text: typeof step.text === 'string' ? fill(step.text, results) : step.text(results), stop: 'end' }
    case 'refuse':
      return { refusal: step.text, stop: 'end' }
    case 'truncate':
      return { text: step.text, stop: 'cut' }
    case 'filter':
      return { text: '', stop: 'filtered' }
    case 'wait':
    case 'ignore':
    case 'approve':
    case 'errors-as-text':
      return { text: '', stop: 'end' }
  }
}
