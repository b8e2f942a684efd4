import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { HOSTED_ONLY } from '../hosted-server.ts'
import { ListingError, type createMcpReach, type McpCallError, type OpenServer } from '../mcp.ts'
import type { Turn } from '../responses.ts'
import type { Fault, Step } from '../script.ts'
import type { SeenCall } from '../seen.ts'
import { sendJson } from '../send.ts'
import { tokensIn } from '../size/tokens.ts'
import { turnOf } from '../turn-of.ts'
import { itemOf, itemsOf, type Item, wordOf } from '../vendors/request.ts'
import {
  blockEvents,
  blocksOfTurn,
  endEvents,
  endingOf,
  messageOf,
  newId,
  startEvent,
  textBlock,
  type Block,
  type Message,
  type StreamEvent,
} from './answer.ts'
import type { CountedMessage } from './cache.ts'
import { errorEvent, refuse, sendFault } from './errors.ts'

export interface MessageScript {
  steps: readonly Step[]
  /** True once for each fault of the conversation; always for one that does not go away. */
  take: (step: Step) => boolean
  /** A character in place of a script. */
  decide: ((calls: SeenCall[], tools: string[]) => Turn) | undefined
}

export interface HostedAnswerOptions {
  reach: ReturnType<typeof createMcpReach>
  dress: (blocks: Block[]) => Block[]
  counted: CountedMessage
  /** An answer says whose tools were listed. */
  tellsListing: boolean
}

/** The servers of a request, opened with the tools that it enables. Throws a `ListingError` for one whose tools cannot be listed. */
async function openAll(
  body: Item,
  steps: readonly Step[],
  reach: HostedAnswerOptions['reach'],
  signal: AbortSignal,
): Promise<OpenServer[]> {
  const ignored = new Set(steps.flatMap((step) => (step.kind === 'ignore' ? [step.server] : [])))
  const toolsets = new Map(itemsOf(body['tools']).map((tool) => [tool['mcp_server_name'], tool]))
  const servers: OpenServer[] = []
  for (const { name, url, authorization_token: token, tool_configuration: beside } of itemsOf(body['mcp_servers'])) {
    if (ignored.has(wordOf(name))) continue
    const { allowed_tools: allowed } = itemOf(beside)
    const enabled = Array.isArray(allowed)
      ? allowed.map(String)
      : Object.entries(itemOf(toolsets.get(name)?.['configs'])).flatMap(([tool, config]) =>
          itemOf(config)['enabled'] === true ? [tool] : [],
        )
    const param = { server_label: wordOf(name), server_url: wordOf(url), headers: {}, allowed_tools: enabled }
    servers.push(await reach.open({ ...param, ...(token !== undefined && { authorization: wordOf(token) }) }, signal))
  }
  return servers
}

/** What the service says of a server that it cannot list. */
const listingText = ({ status }: ListingError): string =>
  status === 401 || status === 403
    ? 'Authentication error while communicating with MCP server. Please check your authorization token.'
    : 'Connection error while communicating with MCP server.'

/** One answer in which the model calls the servers itself, each call for real. It ends when its reader goes. */
export async function serveHosted(
  res: ServerResponse,
  body: Item,
  { steps, take, decide }: MessageScript,
  { reach, dress, counted, tellsListing }: HostedAnswerOptions,
): Promise<void> {
  const abort = new AbortController()
  const about = { model: wordOf(body['model']), tier: body['service_tier'] }
  const isStreamed = body['stream'] === true
  const before = goneOn(body)
  const content: Block[] = []
  let servers: OpenServer[]
  for (const step of steps) {
    if (step.kind === 'fault' && before === 0 && take(step)) return sendFault(res, step.fault)
    if (step.kind !== 'fault' && step.kind !== 'wait' && !HOSTED_ONLY.has(step.kind)) break
  }
  try {
    servers = await openAll(body, steps, reach, abort.signal)
  } catch (error) {
    if (!(error instanceof ListingError)) throw error
    return refuse(res, 400, listingText(error))
  }
  res.once('close', () => abort.abort())
  const send = (event: StreamEvent) => void (isStreamed && res.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`))
  const message = (ending: Pick<Message, 'stop_reason' | 'stop_details'>) =>
    messageOf(about, content, ending, { ...counted, outputTokens: tokensIn(JSON.stringify(content)) })
  const add = (block: Block) => {
    for (const event of blockEvents(block, content.length)) send(event)
    content.push(block)
  }
  const end = (ending: Pick<Message, 'stop_reason' | 'stop_details'>): void => {
    const whole = message(ending)
    if (!isStreamed) return sendJson(res, 200, whole)
    for (const event of endEvents(whole)) send(event)
    res.end()
  }
  const say = (turn: Turn): void => {
    for (const block of blocksOfTurn(turn)) add(block)
    end(endingOf(turn))
  }
  const call = async (name: string, args: string): Promise<string> => {
    const { server, tool } = find(servers, name)
    const id = newId('mcptoolu')
    const input: unknown = JSON.parse(args)
    add({ type: 'mcp_tool_use', id, name: tool, server_name: server?.label ?? name, input })
    const outcome = server
      ? await server.call(tool, itemOf(input), abort.signal)
      : { error: { type: 'unknown', message: `Unknown tool ${name}` } }
    const text = 'error' in outcome ? errorText(outcome.error) : outcome.output
    add({ type: 'mcp_tool_result', tool_use_id: id, is_error: 'error' in outcome, content: [textOf(text)] })
    return text
  }

  async function follow(): Promise<void> {
    const results: string[] = resultsIn(body)
    let [made, paused] = [before, pausesIn(body)]
    for (const step of steps) {
      abort.signal.throwIfAborted()
      if (step.kind === 'fault') {
        if (take(step)) return breakOff(res, step.fault)
      } else if (step.kind === 'wait') await sleep(step.ms, undefined, { signal: abort.signal })
      else if (step.kind === 'pause') {
        // A break before a call that was made is over.
        if (made <= 0 && paused-- <= 0) return end({ stop_reason: 'pause_turn', stop_details: null })
      } else if (step.kind === 'call') {
        for (const one of turnOf(step, results, false).calls ?? [])
          if (made-- <= 0) {
            for (const { text } of step.notes ?? []) add(textBlock(text))
            results.push(await call(one.name, one.arguments))
          }
      } else if (!HOSTED_ONLY.has(step.kind)) return say(turnOf(step, results, false))
    }
    say({ text: 'There is nothing more in the script.', stop: 'end' })
  }

  async function converse(next: NonNullable<MessageScript['decide']>): Promise<void> {
    const tools = servers.flatMap(({ label, tools: listed }) => listed.map(({ name }) => `${label}__${name}`))
    const made: SeenCall[] = []
    for (;;) {
      abort.signal.throwIfAborted()
      const turn = next(made, tools)
      if (!turn.calls) return say(turn)
      for (const one of turn.calls) made.push({ ...one, result: await call(one.name, one.arguments) })
    }
  }

  try {
    if (isStreamed) res.writeHead(200, { 'content-type': 'text/event-stream' })
    send(startEvent(message({ stop_reason: null, stop_details: null })))
    if (tellsListing && before === 0 && pausesIn(body) === 0)
      for (const { label, tools } of servers) add({ type: 'mcp_tool_listing', mcp_server_name: label, tools: tools.map(listedTool) })
    for (const block of dress([])) add(block)
    await (decide ? converse(decide) : follow())
  } catch (error) {
    if (!abort.signal.aborted) throw error
  } finally {
    await Promise.all(servers.map((server) => server.close().catch(() => {})))
  }
}

const listedTool = ({ name, description, input_schema: schema }: OpenServer['tools'][number]) => ({
  name,
  input_schema: itemOf(schema),
  ...(typeof description === 'string' && { description }),
})

// oxlint-disable-next-line no-unsafe-type-assertion -- as of a text that is said
const textOf = (text: string) => textBlock(text) as Extract<Block, { type: 'text' }>

/** Blocks of the message that this answer goes on with, after a break. */
const saidBefore = (body: Item): Item[] => {
  const last = itemsOf(body['messages']).at(-1)
  return last?.['role'] === 'assistant' ? itemsOf(last['content']) : []
}
const goneOn = (body: Item): number => saidBefore(body).filter(({ type }) => type === 'mcp_tool_use').length
const pausesIn = (body: Item): number => (saidBefore(body).length > 0 ? 1 : 0)
const resultsIn = (body: Item): string[] =>
  saidBefore(body).flatMap(({ type, content }) =>
    type === 'mcp_tool_result'
      ? [
          itemsOf(content)
            .map(({ text }) => wordOf(text))
            .join(''),
        ]
      : [],
  )

const errorText = ({ message, content }: McpCallError): string =>
  message ??
  itemsOf(content)
    .map(({ text }) => wordOf(text))
    .join('\n')

/** Where an answer breaks in the midst. */
function breakOff(res: ServerResponse, fault: Fault): void {
  if (fault.kind === 'status') res.end(errorEvent('server_error'))
  else if (fault.kind === 'error-event' || fault.kind === 'failed-event') res.end(errorEvent(fault.code))
  else if (fault.kind === 'silent') res.end()
  else res.socket?.resetAndDestroy()
}

function find(servers: readonly OpenServer[], name: string): { server: OpenServer | undefined; tool: string } {
  const at = name.indexOf('__')
  const [label, tool] = [name.slice(0, at).replaceAll(/[^a-z0-9_]/gi, '_'), name.slice(at + 2)]
  return { server: servers.find((one) => one.label.startsWith(label) && one.tools.some((listed) => listed.name === tool)), tool }
}
