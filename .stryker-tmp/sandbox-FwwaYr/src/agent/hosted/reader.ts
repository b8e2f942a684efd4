// @ts-nocheck
import type OpenAI from 'openai'
import { v5 as uuidv5 } from 'uuid'
import { Failure, messageOf, type FailureRecord } from '../../core/failure.ts'
import type { Reason } from '../../core/run.ts'
import type { HostedOptions, KnownCall } from './options.ts'
import { readCall, unknownEnd, type HostedEnd } from '../../models/openai/hosted-calls.ts'
import { isGone, listingFault, neverBegan } from '../../models/openai/hosted-client.ts'
import { serverLabel } from '../../models/openai/server-label.ts'
import { turnOf } from '../../models/openai/responses.ts'
import { createLimitWarnings } from '../turn.ts'

type Response = OpenAI.Responses.Response
type Event = OpenAI.Responses.ResponseStreamEvent
type Item = OpenAI.Responses.ResponseOutputItem
type McpCall = OpenAI.Responses.ResponseOutputItem.McpCall

/** Why an answer under way was stopped by us. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly reason: Reason

  constructor(reason: Reason) {
    super(reason.message)
    this.reason = reason
  }
}

export type Reader = ReturnType<typeof createReader>

/** A run's calls have the same row ids however often their events are read. */
const CALL_NAMESPACE = '3d5f2a52-7f0c-4b43-9c4e-6b1df5e8a1c7'

/** Follows one hosted answer: writes its calls as they begin and end, counts them, and knows what may have run. */
export function createReader(options: HostedOptions, calls: KnownCall[], turn: number) {
  const { journal, servers, limits, hosted } = options
  const byLabel = new Map(servers.map((server) => [serverLabel(server.name), server]))
  const began = new Map<string, { call: KnownCall; id: string; at: number }>()
  const ended = new Set<string>()
  const announced = new Map<string, { item: McpCall; position: number }>()
  let unauthorized: string | undefined
  let complete = false
  const warnAt = createLimitWarnings(options)
  const nameOf = (label: string) => byLabel.get(label)?.name ?? label
  const over = () => journal.responseState({ turn, responseId: null, state: 'over' })
  const acted = () => calls.some(({ repeatable, status }) => !repeatable && status !== 'not_run' && status !== 'denied')

  async function begin(item: McpCall, position: number): Promise<void> {
    if (began.has(item.id)) return
    const server = nameOf(item.server_label)
    const repeatable = byLabel.get(item.server_label)?.repeatable.includes(item.name) ?? false
    const call: KnownCall = { server, tool: item.name, repeatable, status: 'sent', text: '', failure: null }
    const id = uuidv5(`${options.runId} ${item.id}`, CALL_NAMESPACE)
    began.set(item.id, { call, id, at: performance.now() })
    calls.push(call)
    const args = parseJson(item.arguments)
    await journal.toolCall({ id, turn, position, callId: item.id, server, tool: item.name, arguments: args, repeatable })
  }

  async function end(itemId: string, { status, text, truncated, failure }: HostedEnd): Promise<void> {
    const known = began.get(itemId)
    if (!known || ended.has(itemId)) return
    ended.add(itemId)
    const { call, id, at } = known
    const cut: FailureRecord = { code: 'RESULT_TOO_LARGE', message: `A result of ${call.tool} was cut.`, retry: 'never' }
    Object.assign(call, { status, text, failure: failure ?? (truncated ? cut : null) })
    await journal.toolCallEnd({ id, status, result: { text, truncated }, failure, durationMs: performance.now() - at })
  }

  async function done(item: Item, position: number): Promise<void> {
    if (item.type !== 'mcp_call') return
    await begin(item, position)
    const server = nameOf(item.server_label)
    const outcome = readCall(item, server, options.resultBytes, options.redact)
    if (outcome.unauthorized) unauthorized = server
    await end(item.id, outcome)
  }

  async function handle(event: Event, own: AbortController): Promise<Response | undefined> {
    switch (event.type) {
      case 'response.created':
        reader.responseId = event.response.id
        await journal.responseState({ turn, responseId: event.response.id, state: 'started' })
        return undefined
      case 'response.output_item.added':
        if (event.item.type !== 'mcp_call') return undefined
        announced.set(event.item.id, { item: event.item, position: event.output_index })
        warnAt({ turns: 0, toolCalls: announced.size, tokens: 0, costUsd: 0 })
        if (announced.size > limits.toolCalls)
          own.abort(new Stopped({ code: 'BUDGET_TOOL_CALLS', message: `All ${limits.toolCalls} tool calls were used.` }))
        return undefined
      case 'response.mcp_call_arguments.done': {
        const known = announced.get(event.item_id)
        if (known) await begin({ ...known.item, arguments: event.arguments }, known.position)
        return undefined
      }
      case 'response.output_item.done':
        await done(event.item, event.output_index)
        return undefined
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        return event.response
      default:
        return undefined
    }
  }

  /** A server that was ignored, or a question to nobody, is not success whatever the text says. */
  function checkServers(output: readonly Item[]): void {
    const asked = output.find((item) => item.type === 'mcp_approval_request')
    if (asked) {
      throw new Failure({
        code: 'MODEL_REJECTED',
        message: `The provider asked for approval of ${asked.name}, although it was told to ask for none.`,
        cure: 'Use a provider that honours require_approval: never, or delegate: local.',
      })
    }
    const listed = new Map(output.flatMap((item) => (item.type === 'mcp_list_tools' ? [[item.server_label, item] as const] : [])))
    for (const [label, server] of byLabel) {
      const list = listed.get(label)
      if (!server.required || (list && !list.error)) continue
      if (!list)
        throw new Failure({
          code: 'MODEL_IGNORED_TOOLS',
          message: `The provider did not look at the server ${server.name}.`,
          server: server.name,
        })
      const why = options.redact(list.error ?? '')
      throw new Failure({
        code: 'UPSTREAM_UNAVAILABLE',
        message: `The provider could not list the tools of ${server.name}: ${why}.`,
        server: server.name,
      })
    }
  }

  const reader = {
    responseId: undefined as string | undefined,
    /** Asking again repeats nothing that must not be repeated. */
    mayRepeat: servers.every(({ tools, repeatable }) => tools.every((tool) => repeatable.includes(tool))),

    /** Reads a stream to its last event; undefined when it ends without one, or breaks while the answer goes on in the background. */
    async read(events: AsyncIterable<Event>, own: AbortController): Promise<Response | undefined> {
      try {
        for await (const event of events) {
          const response = await handle(event, own)
          if (response) return response
          own.signal.throwIfAborted()
        }
      } catch (error) {
        if (own.signal.aborted || error instanceof Failure || !hosted.background || reader.responseId === undefined) throw error
      }
      own.signal.throwIfAborted()
      return undefined
    },

    /** Checks a whole answer, and that each call in it has an end. Throws what makes it worthless. */
    async finish(response: Response): Promise<void> {
      complete = true
      const output = Array.isArray(response.output) ? response.output : []
      for (const [position, item] of output.entries()) await done(item, position)
      await reader.abandon('has no result in the answer')
      turnOf(response, null, hosted.model)
      checkServers(output)
      if (unauthorized === undefined) return
      const failure = await options.explain401(unauthorized)
      if (!acted()) throw failure
      for (const call of calls) if (call.status === 'not_run' && call.server === unauthorized) call.failure = failure.toJSON()
    },

    /** Nobody will tell the end of the calls under way. */
    async abandon(why: string): Promise<void> {
      for (const [itemId, { call }] of began) await end(itemId, unknownEnd(call.tool, call.server, why))
    },

    /** Ends the answer at the provider, as far as it lets us. */
    async stop(): Promise<void> {
      if (hosted.background && reader.responseId !== undefined) await hosted.cancel(reader.responseId).catch(() => {})
      await reader.abandon('was under way when the answer was stopped').catch(() => {})
      await over().catch(() => {})
    },

    /** What a failure means, by what may have run. */
    async judge(error: unknown): Promise<Failure> {
      if (error instanceof Failure && error.code === 'WORKER_LOST') return error
      const fault = listingFault(error)
      // An answer that has an id did begin, whatever is said of it now.
      if (fault || complete || (reader.responseId === undefined && neverBegan(error))) {
        await over()
        const failure = fault ? await listingFailure(fault, error) : nameFailure(error)
        if (!acted() || failure.retry === 'never') return failure
        return new Failure({
          ...failure.toJSON(),
          retry: 'never',
          message: failure.message,
          cure: 'Tools that are not repeatable have run, so nothing is tried again by itself.',
        })
      }
      await reader.abandon('was under way when the answer was lost')
      const gone = reader.responseId !== undefined && isGone(error)
      const failure = gone
        ? new Failure({ code: 'MODEL_UNAVAILABLE', message: `The provider no longer knows the answer ${reader.responseId}.`, cause: error })
        : nameFailure(error)
      const canAttach = hosted.background && reader.responseId !== undefined && !gone
      if (canAttach || failure.retry === 'never') return failure
      if (!reader.mayRepeat)
        return new Failure({
          code: 'OUTCOME_UNKNOWN',
          message: `${failure.message} Tools that are not repeatable may have run.`,
          cause: error,
        })
      await over()
      return failure
    },
  }

  function nameFailure(error: unknown): Failure {
    const named = hosted.nameFailure(error)
    return named instanceof Failure
      ? named
      : new Failure({ code: 'MODEL_UNAVAILABLE', message: `Model ${hosted.model}: ${messageOf(named)}.`, cause: named })
  }

  /** 424: the whole request failed because one server could not be listed. */
  async function listingFailure({ label, status }: { label: string; status: number | undefined }, cause: unknown): Promise<Failure> {
    const server = nameOf(label)
    if (status === 401) return options.explain401(server)
    return new Failure({
      code: 'UPSTREAM_UNAVAILABLE',
      message: `The provider could not list the tools of ${server}${status === undefined ? '' : ` (HTTP ${status})`}.`,
      server,
      cause,
    })
  }

  return reader
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
