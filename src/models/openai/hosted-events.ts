import type OpenAI from 'openai'
import type { EndedCall, HostedAnswer, HostedCall, HostedEvent, HostedOutcome } from '../hosted.ts'
import { turnOf } from './responses.ts'
import { serverLabel } from './server-label.ts'

type Event = OpenAI.Responses.ResponseStreamEvent
type Response = OpenAI.Responses.Response
type McpCall = OpenAI.Responses.ResponseOutputItem.McpCall

const NO_PARAMS = -32602
const REQUEST_ID = /request ([\w.:-]{8,128}) for details/
/** The words in which Pomerium denies a call: providers pass them on, in a protocol error or as a text. */
const DENIAL = /access denied, please see the authorization log/
/** Words of providers for a broken connection. */
const LOST = /timed? ?out|reset|fetch failed|terminated|socket|disconnected|connection (?:closed|error|aborted)|network/i

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? ''))

/** Gives back the name of a server from its label in this protocol; a label that is none of ours stays. */
export function createServerNames(servers: readonly string[]): (label: string) => string {
  const byLabel = new Map(servers.map((name) => [serverLabel(name), name]))
  return (label) => byLabel.get(label) ?? label
}

/** Translates the events of an answer. Events without meaning for a run are left out. */
export async function* hostedEvents(events: AsyncIterable<Event>, servers: readonly string[], model: string): AsyncIterable<HostedEvent> {
  const nameOf = createServerNames(servers)
  for await (const event of events) {
    const told = translate(event, nameOf, model)
    if (told) yield told
  }
}

function translate(event: Event, nameOf: (label: string) => string, model: string): HostedEvent | undefined {
  switch (event.type) {
    case 'response.created':
      return { kind: 'started', responseId: event.response.id }
    case 'response.output_item.added':
      return event.item.type === 'mcp_call' ? { kind: 'announced', call: callOf(event.item, event.output_index, nameOf) } : undefined
    case 'response.mcp_call_arguments.done':
      return { kind: 'arguments', callId: event.item_id, arguments: event.arguments }
    case 'response.output_item.done':
      return event.item.type === 'mcp_call' ? { kind: 'ended', call: endedCall(event.item, event.output_index, nameOf) } : undefined
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed':
      return { kind: 'answer', answer: answerOf(event.response, nameOf, model) }
    default:
      return undefined
  }
}

function answerOf(response: Response, nameOf: (label: string) => string, model: string): HostedAnswer {
  const output = Array.isArray(response.output) ? response.output : []
  return {
    calls: output.flatMap((item, position) => (item.type === 'mcp_call' ? [endedCall(item, position, nameOf)] : [])),
    listed: output.flatMap((item) =>
      item.type === 'mcp_list_tools' ? [{ server: nameOf(item.server_label), error: item.error ? item.error : null }] : [],
    ),
    approvalFor: output.find((item) => item.type === 'mcp_approval_request')?.name,
    turn: () => turnOf(response, null, model),
  }
}

const callOf = (item: McpCall, position: number, nameOf: (label: string) => string): HostedCall => ({
  id: item.id,
  server: nameOf(item.server_label),
  tool: item.name,
  arguments: item.arguments,
  position,
})

const endedCall = (item: McpCall, position: number, nameOf: (label: string) => string): EndedCall => ({
  ...callOf(item, position, nameOf),
  outcome: outcomeOf(item),
})

/** Reads a finished `mcp_call`. Its error comes in at least four shapes; an unknown one is an error of the tool. */
export function outcomeOf({ error: given, output }: Pick<McpCall, 'error' | 'output'>): HostedOutcome {
  // Typed as a string; servers also send objects.
  const error: unknown = given
  if (error === null || error === undefined) {
    return output === null || output === undefined ? { kind: 'no-result' } : { kind: 'ok', text: textOf(output) }
  }
  const type = isRecord(error) ? error['type'] : undefined
  const code = isRecord(error) && typeof error['code'] === 'number' ? error['code'] : undefined
  const message = isRecord(error) && typeof error['message'] === 'string' ? error['message'] : textOf(error)
  if (DENIAL.test(message) && (code === undefined || code === NO_PARAMS))
    return { kind: 'denied', text: message, requestId: REQUEST_ID.exec(message)?.[1] }
  if (type === 'http_error') return { kind: 'http', status: code ?? 0, text: message }
  if (typeof error === 'string') {
    const status = statusIn(error)
    if (status !== undefined) return { kind: 'http', status, text: message }
    if (LOST.test(error)) return { kind: 'lost' }
  }
  return { kind: 'tool-error', text: textOf(isRecord(error) ? (error['content'] ?? error['message'] ?? error) : error) }
}

/** The HTTP status in an error that is a text. */
function statusIn(text: string): number | undefined {
  const status = /\b(?:HTTP|status)(?: status)?(?: code)?:?\s*(\d{3})\b/i.exec(text)?.[1]
  return status === undefined ? undefined : Number(status)
}
