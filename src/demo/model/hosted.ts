import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type OpenAI from 'openai'
import { z } from 'zod'
import type { createMcpReach, McpCallError, OpenServer } from './mcp.ts'
import { createEventLog, type Logged } from './event-log.ts'
import { itemEvents, lastEvent, messageOf, responsesAnswer, type Turn } from './responses.ts'
import type { Fault, Step } from './script.ts'
import type { SeenCall } from './seen.ts'
import type { Counted } from './size/meter.ts'
import type { Habits } from './vendors/habits.ts'

type Response = OpenAI.Responses.Response
type Item = Response['output'][number]

export const hostedRequestSchema = z.looseObject({
  model: z.string(),
  background: z.boolean().optional(),
  stream: z.boolean().optional(),
  max_tool_calls: z.int().positive().optional(),
  tools: z.array(
    z.looseObject({
      type: z.literal('mcp'),
      server_label: z.string(),
      server_url: z.string(),
      headers: z.record(z.string(), z.string()).default({}),
      authorization: z.string().optional(),
      allowed_tools: z.array(z.string()),
    }),
  ),
})
export type HostedRequest = z.output<typeof hostedRequestSchema>

/** One answer in which the provider itself calls the servers. It goes on while nobody reads it, if it is a background one. */
export interface HostedAnswer {
  id: string
  /** What is known of it now. */
  response(): Response
  /** Events after the number given, as they come; ends after the last. Only the first reader sees where the script breaks the stream off. */
  events(reader: { after: number; first: boolean }): AsyncGenerator<Logged>
  cancel(): void
  done: Promise<void>
}

export interface HostedDeps {
  /** A character in place of a script: what it does next, after these calls, with tools of these names. */
  decide?: ((calls: SeenCall[], tools: string[]) => Turn) | undefined
  reach: ReturnType<typeof createMcpReach>
  habits: Habits
  /** What its request is counted as. */
  counted: Counted
  steps: readonly Step[]
  /** True once for each fault of the conversation; always for one that does not go away. */
  take: (step: Step) => boolean
  turnOf: (step: Exclude<Step, { kind: 'fault' }>, results: string[]) => Turn
}

const id = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`
/** What the model is told of a call beyond the most that the request allows. */
const NOT_MADE = 'This answer may make no more calls.'

/** The answer ended in the middle, as a vendor does it. */
class BrokenOff extends Error {
  override readonly name = 'BrokenOff'
}

/**
 * Opens the servers and lists their tools; throws `ListingError` when one cannot be listed. Then works through the script by itself: each call
 * is really made.
 */
export async function startHostedAnswer(
  request: HostedRequest,
  { reach, habits, counted, steps, take, turnOf, decide }: HostedDeps,
): Promise<HostedAnswer> {
  const abort = new AbortController()
  const ignored = new Set(steps.flatMap((step) => (step.kind === 'ignore' ? [step.server] : [])))
  const servers: OpenServer[] = []
  for (const { authorization, headers, ...tool } of request.tools) {
    if (ignored.has(tool.server_label)) continue
    const token = authorization === undefined ? {} : { authorization: `Bearer ${authorization}` }
    servers.push(await reach.open({ ...tool, headers: { ...headers, ...token } }, abort.signal))
  }
  const answer = { ...responsesAnswer(request, { text: '', stop: 'end' }, counted), status: 'in_progress' as const }
  const output: Item[] = []
  const log = createEventLog()
  const { emit } = log
  const snapshot = (status: NonNullable<Response['status']>, more: Partial<Response> = {}): Response => ({
    ...answer,
    background: request.background ?? false,
    status,
    output: [...output],
    ...more,
  })

  function list(server: OpenServer): void {
    const item: Item = { type: 'mcp_list_tools', id: id('mcpl'), server_label: server.label, tools: server.tools }
    const at = { item_id: item.id, output_index: output.length }
    emit({ type: 'response.output_item.added', output_index: output.length, item: { ...item, tools: [] } })
    emit({ type: 'response.mcp_list_tools.in_progress', ...at })
    emit({ type: 'response.mcp_list_tools.completed', ...at })
    emit({ type: 'response.output_item.done', output_index: output.length, item })
    output.push(item)
  }

  let calls = 0

  /** The text of its result. Throws `BrokenOff` where the answer ends with a call too many. */
  async function call(name: string, args: string, textErrors: boolean): Promise<string> {
    const { server, tool } = find(servers, name)
    const item = {
      type: 'mcp_call' as const,
      id: id('mcp'),
      server_label: server?.label ?? name,
      name: `${habits.prefix}${tool}`,
      arguments: '',
    }
    const at = { item_id: item.id, output_index: output.length }
    const isTooMany = habits.mostCalls !== 'ignored' && request.max_tool_calls !== undefined && calls >= request.max_tool_calls
    if (isTooMany && habits.mostCalls === 'kept' && habits.order === 'announced-first') return NOT_MADE
    if (habits.order === 'arguments-first') {
      log.emitForeign({ type: 'response.function_call_arguments.delta', ...at, delta: args })
      log.emitForeign({ type: 'response.mcp_call.arguments.done', ...at, arguments: args })
      if (isTooMany && habits.mostCalls === 'kept') return NOT_MADE
    }
    emit({ type: 'response.output_item.added', output_index: at.output_index, item: { ...item, status: 'in_progress' } })
    emit({ type: 'response.mcp_call.in_progress', ...at })
    if (habits.order === 'announced-first') {
      emit({ type: 'response.mcp_call_arguments.delta', ...at, delta: args })
      emit({ type: 'response.mcp_call_arguments.done', ...at, arguments: args })
    }
    if (isTooMany) {
      log.emitForeign({ error: { message: 'Exceeded max_tool_calls limit' } })
      throw new BrokenOff()
    }
    calls++
    const outcome = server
      ? await server.call(tool, parseArguments(args), abort.signal)
      : { error: { type: 'mcp_protocol_error', code: -32602, message: `Unknown tool ${name}` } }
    const failed = 'error' in outcome
    const done = {
      ...item,
      arguments: args,
      output: failed ? null : outcome.output,
      error: failed ? errorOf(outcome.error, textErrors) : null,
      status: failed ? ('failed' as const) : ('completed' as const),
    }
    const how = failed ? 'response.mcp_call.failed' : 'response.mcp_call.completed'
    if (habits.order === 'announced-first') emit({ type: how, ...at })
    else log.emitForeign({ type: how })
    // oxlint-disable-next-line no-unsafe-type-assertion -- providers send errors that the client's types do not have
    const wire = done as unknown as Item
    emit({ type: 'response.output_item.done', output_index: at.output_index, item: wire })
    output.push(wire)
    return failed ? JSON.stringify(outcome.error) : outcome.output
  }

  function add(item: Item): void {
    for (const event of itemEvents(item, output.length)) emit(event)
    output.push(item)
  }

  function say(turn: Turn): void {
    const whole = responsesAnswer(request, turn, counted)
    for (const item of whole.output) add(item)
    const { usage, incomplete_details } = whole
    const { usage: _, ...uncounted } = snapshot(whole.status ?? 'completed', { incomplete_details })
    const response = {
      ...uncounted,
      ...(habits.usage && usage && { usage }),
      ...(habits.output === 'empty' && { output: [] }),
    }
    emit(lastEvent(response))
  }

  function fail(fault: Fault): boolean {
    if (fault.kind === 'status') {
      emit({
        type: 'response.failed',
        response: snapshot('failed', { error: { code: 'server_error', message: `Scripted failure ${fault.status}.` } }),
      })
      return true
    }
    if (fault.kind === 'error-event') {
      log.emitForeign({ type: 'error', code: fault.code, message: 'Scripted failure', param: null })
      return true
    }
    if (fault.kind === 'failed-event') {
      log.emitForeign({
        type: 'response.failed',
        response: { ...snapshot('failed'), error: { code: fault.code, message: 'Scripted failure' } },
      })
      return true
    }
    log.breakOff(fault.kind === 'silent' ? 'silent' : 'cut')
    return request.background !== true
  }

  async function work(): Promise<void> {
    const results: string[] = []
    let textErrors = false
    emit({ type: 'response.created', response: snapshot('in_progress') })
    emit({ type: 'response.in_progress', response: snapshot('in_progress') })
    for (const server of servers) list(server)
    if (decide) return converse(decide)
    for (const step of steps) {
      abort.signal.throwIfAborted()
      if (step.kind === 'fault') {
        if (take(step) && fail(step.fault)) return
      } else if (step.kind === 'wait') await sleep(step.ms, undefined, { signal: abort.signal })
      else if (step.kind === 'errors-as-text') textErrors = true
      else if (step.kind === 'approve') {
        const { server, tool } = find(servers, step.name)
        output.push({ type: 'mcp_approval_request', id: id('mcpr'), server_label: server?.label ?? '', name: tool, arguments: '{}' })
        return say({ text: 'May I?', stop: 'end' })
      } else if (step.kind === 'call') {
        for (const note of step.notes ?? []) add(messageOf(note))
        for (const one of turnOf(step, results).calls ?? []) results.push(await call(one.name, one.arguments, textErrors))
      } else if (step.kind !== 'ignore' && step.kind !== 'pause') return say(turnOf(step, results))
    }
    say({ text: 'There is nothing more in the script.', stop: 'end' })
  }

  async function converse(next: NonNullable<HostedDeps['decide']>): Promise<void> {
    const tools = servers.flatMap(({ label, tools: listed }) => listed.map(({ name }) => `${label}__${name}`))
    const made: SeenCall[] = []
    for (;;) {
      abort.signal.throwIfAborted()
      const turn = next(made, tools)
      if (!turn.calls) return say(turn)
      for (const one of turn.calls) made.push({ ...one, result: await call(one.name, one.arguments, false) })
    }
  }

  const done = work()
    .catch((error: unknown) => {
      if (!(error instanceof BrokenOff) && abort.signal.aborted) emit({ type: 'response.failed', response: snapshot('cancelled') })
    })
    .then(async () => {
      log.end()
      await Promise.all(servers.map((server) => server.close().catch(() => {})))
    })

  return {
    id: answer.id,
    done,
    response: () => log.last() ?? snapshot('in_progress'),
    events: (reader) => log.events(reader),
    cancel: () => abort.abort(),
  }
}

function find(servers: readonly OpenServer[], name: string): { server: OpenServer | undefined; tool: string } {
  const at = name.indexOf('__')
  const [label, tool] = [name.slice(0, at).replaceAll(/[^a-z0-9_]/gi, '_'), name.slice(at + 2)]
  return { server: servers.find((one) => one.label.startsWith(label) && one.tools.some((listed) => listed.name === tool)), tool }
}

function parseArguments(text: string): Record<string, unknown> {
  return z.record(z.string(), z.unknown()).catch({}).parse(JSON.parse(text))
}

const errorOf = (error: McpCallError, asText: boolean) => (asText ? (error.message ?? JSON.stringify(error.content)) : error)
