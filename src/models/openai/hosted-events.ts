import { wellFormed } from '../../lib/json/well-formed.ts'
import type { EndedCall, HostedAnswer, HostedCall, HostedEvent, HostedOutcome } from '../hosted.ts'
import { argumentsIn, fieldsIn, idIn, listIn, placeIn, shownIn, textIn, type Fields } from './foreign.ts'
import { turnOf } from './responses.ts'
import { serverLabel } from './server-label.ts'

const NO_PARAMS = -32602
const REQUEST_ID = /request ([\w.:-]{8,128}) for details/
/** The words in which Pomerium denies a call: providers pass them on, in a protocol error or as a text. */
const DENIAL = /access denied, please see the authorization log/
/** Words of providers for a broken connection. */
const LOST = /timed? ?out|reset|fetch failed|terminated|socket|disconnected|connection (?:closed|error|aborted)|network/i

/** Gives back the name of a server from its label in this protocol; a label that is none of ours stays. */
export function createServerNames(servers: readonly string[]): (label: string) => string {
  const byLabel = new Map(servers.map((name) => [serverLabel(name), name]))
  return (label) => byLabel.get(label) ?? label
}

/** Translates the events of an answer. Events without meaning for a run are left out. */
export async function* hostedEvents(events: AsyncIterable<unknown>, servers: readonly string[], model: string): AsyncIterable<HostedEvent> {
  const nameOf = createServerNames(servers)
  // oxlint-disable-next-line waits/bounded -- whoever gives the stream ends it (hosted-client.ts)
  for await (const event of events) {
    const told = translate(fieldsIn(event), nameOf, model)
    if (told) yield told
  }
}

function translate(event: Fields, nameOf: (label: string) => string, model: string): HostedEvent | undefined {
  const item = fieldsIn(event['item'])
  switch (event['type']) {
    case 'response.created': {
      const responseId = idIn(fieldsIn(event['response'])['id'])
      return responseId === undefined ? undefined : { kind: 'started', responseId }
    }
    case 'response.output_item.added':
      return item['type'] === 'mcp_call' ? { kind: 'announced', call: callOf(item, placeIn(event['output_index']), nameOf) } : undefined
    case 'response.mcp_call_arguments.done': {
      const callId = idIn(event['item_id'])
      return callId === undefined ? undefined : { kind: 'arguments', callId, arguments: argumentsIn(event['arguments']) }
    }
    case 'response.output_item.done':
      return item['type'] === 'mcp_call' ? { kind: 'ended', call: endedCall(item, placeIn(event['output_index']), nameOf) } : undefined
    case 'response.completed':
    case 'response.incomplete':
    case 'response.failed':
      return { kind: 'answer', answer: answerOf(event['response'], nameOf, model) }
    default:
      return undefined
  }
}

function answerOf(response: unknown, nameOf: (label: string) => string, model: string): HostedAnswer {
  const output = listIn(fieldsIn(response)['output'])
  const approval = output.find(({ type }) => type === 'mcp_approval_request')
  return {
    calls: output.flatMap((item, position) => (item['type'] === 'mcp_call' ? [endedCall(item, position, nameOf)] : [])),
    listed: output.flatMap(({ type, server_label: label, error }) =>
      type === 'mcp_list_tools' ? [{ server: nameOf(textIn(label) ?? ''), error: error ? shownIn(error) : null }] : [],
    ),
    approvalFor: approval && (textIn(approval['name']) ?? 'a tool without a name'),
    turn: () => turnOf(response, null, model),
  }
}

/** A call without an id is known by its place. */
const callOf = (item: Fields, position: number, nameOf: (label: string) => string): HostedCall => ({
  id: idIn(item['id']) ?? `place ${position}`,
  server: nameOf(textIn(item['server_label']) ?? ''),
  tool: textIn(item['name']) ?? '',
  arguments: argumentsIn(item['arguments']),
  position,
})

const endedCall = (item: Fields, position: number, nameOf: (label: string) => string): EndedCall => ({
  ...callOf(item, position, nameOf),
  outcome: outcomeOf(item),
})

/** Reads a finished `mcp_call`. Its error comes in at least four shapes; an unknown one is an error of the tool. */
export function outcomeOf({ error: given, output }: { error?: unknown; output?: unknown }): HostedOutcome {
  const error = wellFormed(given)
  if (error === null || error === undefined) {
    return output === null || output === undefined ? { kind: 'no-result' } : { kind: 'ok', text: shownIn(output) }
  }
  const fields = fieldsIn(error)
  const code = typeof fields['code'] === 'number' ? fields['code'] : undefined
  const message = typeof fields['message'] === 'string' ? fields['message'] : shownIn(error)
  if (DENIAL.test(message) && (code === undefined || code === NO_PARAMS))
    return { kind: 'denied', text: message, requestId: REQUEST_ID.exec(message)?.[1] }
  if (fields['type'] === 'http_error') return { kind: 'http', status: code ?? 0, text: message }
  if (typeof error === 'string') {
    const status = statusIn(error)
    if (status !== undefined) return { kind: 'http', status, text: message }
    if (LOST.test(error)) return { kind: 'lost' }
  }
  return { kind: 'tool-error', text: shownIn(fields['content'] ?? fields['message'] ?? error) }
}

/** The HTTP status in an error that is a text. */
function statusIn(text: string): number | undefined {
  const status = /\b(?:HTTP|status)(?: status)?(?: code)?:?\s*(\d{3})\b/i.exec(text)?.[1]
  return status === undefined ? undefined : Number(status)
}
